"""The payment gateways from the configuration."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import TYPE_CHECKING

from edge.app.files import given_file
from edge.config import (
    AlipayConfig,
    Config,
    WeChatPayConfig,
)
from edge.duties.renewing_keys import KeyRenewer
from edge.errors import Invalid
from edge.services.payment_ports import (
    AutopayGateway,
    BillSource,
    CallbackReader,
    PaymentGateway,
    PrepayGateway,
)
from edge.services.ports import Clock, IdSource
from edge.services.split_ports import SplitGateway

if TYPE_CHECKING:
    from edge.gateways.wechat_pay.settings import WeChatPaySettings

#: Where the certificates of WeChat Pay are kept, under box.data_dir.
WECHAT_CERTIFICATES = "wechat_certificates"


def build_gateways(config: Config, clock: Clock, ids: IdSource) -> dict[str, PaymentGateway]:
    """Return the payment gateways by name."""
    gateways: dict[str, PaymentGateway] = {}
    if config.wechat_pay is not None:
        gateways["wechat_pay"] = _wechat_pay(config, config.wechat_pay, clock, ids)
    if config.alipay is not None:
        gateways["alipay"] = _alipay(config.alipay, clock)
    return gateways


def bill_sources(gateways: Mapping[str, PaymentGateway]) -> tuple[BillSource, ...]:
    """Return the gateways whose bills can be fetched."""
    return tuple(one for one in gateways.values() if isinstance(one, BillSource))


def key_renewers(gateways: Mapping[str, PaymentGateway]) -> tuple[KeyRenewer, ...]:
    """Return the gateways whose keys are fetched."""
    from edge.gateways.wechat_pay.client import WeChatPayGateway

    wechat = (one for one in gateways.values() if isinstance(one, WeChatPayGateway))
    return tuple(one for one in wechat if one.fetches_certificates)


def phone_gateways(gateways: Mapping[str, PaymentGateway]) -> dict[str, PrepayGateway]:
    """Return by name those whose orders a phone can pay by itself; one without a notify_url is left out."""
    from edge.gateways.wechat_pay.client import WeChatPayGateway
    from edge.gateways.wechat_pay.phone_orders import WeChatPhoneOrders

    wechat = {name: one for name, one in gateways.items() if isinstance(one, WeChatPayGateway)}
    return {name: WeChatPhoneOrders(one) for name, one in wechat.items() if one.takes_phone_orders}


def autopay_gateways(config: Config, gateways: Mapping[str, PaymentGateway]) -> dict[str, AutopayGateway]:
    """Return by name those that charge owners of vehicles after they have left, where that is configured."""
    from edge.gateways.wechat_pay.client import WeChatPayGateway

    if config.wechat_pay is None or not config.wechat_pay.vehicle_parking:
        return {}
    if not config.wechat_pay.notify_url:
        raise Invalid("wechat_pay: vehicle_parking needs notify_url")
    return {name: one.vehicle for name, one in gateways.items() if isinstance(one, WeChatPayGateway)}


def split_gateways(config: Config, gateways: Mapping[str, PaymentGateway]) -> dict[str, SplitGateway]:
    """Return by name those that pass on money of payments, where the contract's share is configured."""
    from edge.gateways.wechat_pay.client import WeChatPayGateway
    from edge.gateways.wechat_pay.splits import WeChatSplits

    own = config.wechat_pay
    if own is None or not own.share_permille:
        return {}
    names = {one.mchid: one.merchant_name or one.name for one in config.tenant if one.mchid}
    names[own.sub_mchid or own.mchid] = own.merchant_name
    return {
        name: WeChatSplits(one, names, own.share_permille)
        for name, one in gateways.items()
        if isinstance(one, WeChatPayGateway)
    }


def tenant_bills(config: Config, gateways: Mapping[str, PaymentGateway]) -> tuple[BillSource, ...]:
    """Return the bills of tenants' numbers that can be had: as service provider, or with their own keys."""
    from edge.gateways.wechat_pay.client import WeChatPayGateway
    from edge.gateways.wechat_pay.tenant_bill import TenantBill

    numbers = dict.fromkeys(one.mchid for one in config.tenant if one.mchid)
    wechat = [one for one in gateways.values() if isinstance(one, WeChatPayGateway)]
    return tuple(TenantBill(one, number) for one in wechat for number in numbers if one.can_bill(number))


def callback_readers(gateways: Mapping[str, PaymentGateway], clock: Clock) -> dict[str, CallbackReader]:
    """Return by name what reads the callbacks of those that call back."""
    from edge.gateways.wechat_pay.client import WeChatPayGateway
    from edge.gateways.wechat_pay.phone_orders import WeChatCallbacks

    wechat = {name: one for name, one in gateways.items() if isinstance(one, WeChatPayGateway)}
    return {name: WeChatCallbacks(one, clock) for name, one in wechat.items() if one.takes_phone_orders}


def _wechat_pay(whole: Config, config: WeChatPayConfig, clock: Clock, ids: IdSource) -> PaymentGateway:
    from edge.gateways.wechat_pay.client import WeChatPayGateway
    from edge.gateways.wechat_pay.settings import (
        WeChatPaySettings,
        load_api_v3_key,
        load_merchant_serial,
        load_private_key,
        load_verifiers,
    )

    data = whole.box.data_dir
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
        sub_mchid=config.sub_mchid,
        sub_appid=config.sub_appid,
        notify_url=config.notify_url,
        refund_notify_url=config.refund_notify_url,
        api_v3_key=load_api_v3_key(given_file(config.api_v3_key_file)) if config.api_v3_key_file else b"",
        fetch_certificates=config.fetch_certificates,
        certificate_dir=data / WECHAT_CERTIFICATES,
        spool_dir=data,
    )
    tenants = {} if config.sub_mchid else _tenant_settings(whole, settings)
    signing = {number: WeChatPayGateway(own, clock, ids) for number, own in tenants.items()}
    return WeChatPayGateway(settings, clock, ids, tenants=signing)


def _tenant_settings(whole: Config, mall: WeChatPaySettings) -> dict[str, WeChatPaySettings]:
    """Return by number as whom tenants sign for themselves: refunds and bills of their own number."""
    from edge.gateways.wechat_pay.settings import load_merchant_serial, load_private_key, load_verifiers

    found = {}
    for one in whole.tenant:
        if one.private_key_file is None or one.certificate_file is None:
            continue
        verifiers = load_verifiers(
            {serial: given_file(path) for serial, path in (one.platform_keys or {}).items()}
        )
        found[one.mchid] = replace(
            mall,
            mchid=one.mchid,
            merchant_serial=load_merchant_serial(given_file(one.certificate_file)),
            private_key=load_private_key(given_file(one.private_key_file)),
            verifiers=verifiers or mall.verifiers,
            api_v3_key=b"",
            fetch_certificates=False,
        )
    return found


def _alipay(config: AlipayConfig, clock: Clock) -> PaymentGateway:
    from edge.gateways.alipay.client import AlipayGateway
    from edge.gateways.alipay.settings import (
        AlipaySettings,
        load_app_key,
        load_app_serial,
        load_certificates,
        load_public_key,
        load_root_serial,
        load_token,
    )

    app, root = config.app_certificate_file, config.root_certificate_file
    if (config.public_key_file is None) == (not config.certificate_files):
        raise Invalid("alipay: give public_key_file, or app_, root_certificate_file and certificate_files")
    verifiers = (
        load_certificates(tuple(given_file(one) for one in config.certificate_files))
        if config.public_key_file is None
        else load_public_key(given_file(config.public_key_file))
    )
    token = config.app_auth_token_file
    settings = AlipaySettings(
        app_id=config.app_id,
        private_key=load_app_key(given_file(config.private_key_file)),
        verifiers=verifiers,
        app_cert_sn=load_app_serial(given_file(app)) if app else "",
        root_cert_sn=load_root_serial(given_file(root)) if root else "",
        app_auth_token=load_token(given_file(token)) if token else "",
        store_id=config.store_id,
        gateway_url=config.gateway_url,
        connect_s=config.connect_s,
        read_s=config.read_s,
        pay_read_s=config.pay_read_s,
    )
    return AlipayGateway(settings, clock)
