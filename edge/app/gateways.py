"""The payment gateways from the configuration."""

from __future__ import annotations

from edge.app.files import given_file
from edge.config import (
    Config,
    WeChatPayConfig,
)
from edge.services.payment_ports import PaymentGateway
from edge.services.ports import Clock, IdSource


def build_gateways(config: Config, clock: Clock, ids: IdSource) -> dict[str, PaymentGateway]:
    """Return the payment gateways by name."""
    if config.wechat_pay is None:
        return {}
    return {"wechat_pay": _wechat_pay(config.wechat_pay, clock, ids)}


def _wechat_pay(config: WeChatPayConfig, clock: Clock, ids: IdSource) -> PaymentGateway:
    from edge.gateways.wechat_pay.client import WeChatPayGateway
    from edge.gateways.wechat_pay.settings import (
        WeChatPaySettings,
        load_merchant_serial,
        load_private_key,
        load_verifiers,
    )

    settings = WeChatPaySettings(
        appid=config.appid,
        mchid=config.mchid,
        merchant_serial=load_merchant_serial(given_file(config.certificate_file)),
        private_key=load_private_key(given_file(config.private_key_file)),
        verifiers=load_verifiers({serial: given_file(one) for serial, one in config.platform_keys.items()}),
        store_id=config.store_id,
        device_ip=config.device_ip,
        base_url=config.base_url,
        backup_url=config.backup_url,
        connect_s=config.connect_s,
        read_s=config.read_s,
        codepay_read_s=config.codepay_read_s,
    )
    return WeChatPayGateway(settings, clock, ids)
