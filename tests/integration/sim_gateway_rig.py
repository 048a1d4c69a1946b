"""A merchant that signs by itself, sends raw HTTP and checks every signature that comes back, and a receiver.

Written apart from edge's client and from the simulator: three implementations that have to agree.
"""

from __future__ import annotations

import base64
import http.client
import json
import os
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, cast

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key

from sim.gateway import Credentials, GatewayServer

START_AT = 1_795_000_000_000
NOTIFY_URL = "https://pay.example.com/notify"


def digits(count: int) -> str:
    """Return random decimal digits."""
    return "".join(str(byte % 10) for byte in os.urandom(count))


@dataclass
class Clock:
    """Moves only by hand."""

    at: int = START_AT

    def __call__(self) -> int:
        return self.at


@dataclass(frozen=True)
class Answer:
    """What came back; signed: whether a signature was there, which then was right."""

    status: int
    headers: Mapping[str, str]
    body: bytes
    signed: bool

    def json(self) -> Any:
        """Return the body."""
        return json.loads(self.body)

    @property
    def code(self) -> str:
        """The error's name, "" for none."""
        return str(self.json().get("code", "")) if self.body else ""

    @property
    def number(self) -> str:
        """The reason at the end of the Request-ID."""
        return self.headers["request-id"].rpartition("-")[2]

    @property
    def error(self) -> tuple[int, str, str]:
        """Status, name and number of a refusal."""
        return self.status, self.code, self.number


class Rig:
    """One merchant in front of one gateway."""

    def __init__(self, server: GatewayServer, clock: Clock, credentials: Credentials) -> None:
        self.server = server
        self.clock = clock
        self.who = credentials
        key = load_pem_private_key(credentials.merchant_key.read_bytes(), None)
        self.key = cast(rsa.RSAPrivateKey, key)
        self.nonces = 0

    def sign(self, message: str) -> str:
        """Return the merchant's signature."""
        return base64.b64encode(self.key.sign(message.encode(), padding.PKCS1v15(), SHA256())).decode()

    def token(self, method: str, target: str, body: bytes, **changed: str) -> str:
        """Return an Authorization header; what is named in `changed` is put in after signing."""
        self.nonces += 1
        stamp, nonce = changed.pop("stamp", str(self.clock.at // 1000)), f"nonce{self.nonces}"
        nonce = changed.pop("nonce", nonce)
        signature = self.sign(f"{method}\n{target}\n{stamp}\n{nonce}\n{body.decode()}\n")
        parts = {
            "mchid": self.who.mchid,
            "serial_no": self.who.merchant_serial,
            "nonce_str": nonce,
            "timestamp": stamp,
            "signature": signature,
        } | changed
        return "WECHATPAY2-SHA256-RSA2048 " + ",".join(f'{name}="{value}"' for name, value in parts.items())

    def raw(self, method: str, target: str, body: bytes, headers: Mapping[str, str]) -> Answer:
        """Send exactly that; raises http.client.HTTPException or OSError when the connection ends."""
        host = self.server.url.removeprefix("http://")
        connection = http.client.HTTPConnection(host, timeout=20)
        try:
            connection.request(method, target, body or None, dict(headers))
            got = connection.getresponse()
            read = got.read()
        finally:
            connection.close()
        named = {name.lower(): value for name, value in got.getheaders()}
        signed = "wechatpay-signature" in named
        if signed:
            self.verify(named, read)
        return Answer(got.status, named, read, signed)

    def verify(self, headers: Mapping[str, str], body: bytes) -> None:
        """Raise InvalidSignature unless the gateway signed exactly this."""
        message = f"{headers['wechatpay-timestamp']}\n{headers['wechatpay-nonce']}\n".encode() + body + b"\n"
        signature = base64.b64decode(headers["wechatpay-signature"])
        self.platform_key(headers["wechatpay-serial"]).verify(
            signature, message, padding.PKCS1v15(), SHA256()
        )

    def platform_key(self, serial: str) -> rsa.RSAPublicKey:
        """Return the gateway's key of that serial from the files of the merchant's side."""
        folder = self.who.folder
        if serial.startswith("PUB_KEY_ID_"):
            path = folder / f"pub_key.{serial.removeprefix('PUB_KEY_ID_')}.pem"
            path = path if path.exists() else self.who.platform_public_key
            return cast(rsa.RSAPublicKey, load_pem_public_key(path.read_bytes()))
        path = folder / f"wechatpay_cert.{serial}.pem"
        path = path if path.exists() else self.who.platform_cert
        certificate = x509.load_pem_x509_certificate(path.read_bytes())
        assert f"{certificate.serial_number:X}" == serial
        return cast(rsa.RSAPublicKey, certificate.public_key())

    def call(self, method: str, target: str, value: object = None, **headers: str) -> Answer:
        """Make a signed call; every answer but 401 must be signed."""
        body = b"" if value is None else value if isinstance(value, bytes) else json.dumps(value).encode()
        named = {name.replace("_", "-"): text for name, text in headers.items()}
        answer = self.raw(method, target, body, {"Authorization": self.token(method, target, body), **named})
        assert answer.signed or answer.status == 401
        return answer

    def post(self, target: str, value: object, **headers: str) -> Answer:
        """Make a signed POST."""
        return self.call("POST", target, value, **headers)

    def get(self, target: str) -> Answer:
        """Make a signed GET."""
        return self.call("GET", target)

    def switch(self, path: str, value: object = None) -> Any:
        """Use one of the testers' switches; return what it says."""
        body = b"" if value is None else json.dumps(value).encode()
        return self.raw("POST" if body else "GET", path, body, {}).json()

    def wallet(self, balance_fen: int = 100_000, **more: object) -> dict[str, Any]:
        """Return a new shopper's wallet."""
        made = {"name": "小林", "balance_fen": balance_fen, "password_above_fen": 1_000_000} | more
        return cast(dict[str, Any], self.switch("/sim/wallets", made))

    def code(self, wallet: Mapping[str, Any]) -> str:
        """Return the payment code on that phone."""
        return str(self.switch(f"/sim/wallets/{wallet['wallet_id']}/code", {"renew": True})["code"])

    def order(
        self, order_no: str, openid: str = "", total: int = 1250, **changed: object
    ) -> dict[str, object]:
        """Return the body of a mini-program order, or of a QR code's without openid."""
        payer = {"payer": {"openid": openid}} if openid else {}
        return {
            "appid": self.who.appid,
            "mchid": self.who.mchid,
            "description": "南门店 sundries",
            "out_trade_no": order_no,
            "notify_url": NOTIFY_URL,
            "amount": {"total": total, "currency": "CNY"},
            **payer,
        } | changed

    def codepay(self, order_no: str, code: str, total: int = 1250, **changed: object) -> Answer:
        """Charge a payment code."""
        body = {
            "appid": self.who.appid,
            "mchid": self.who.mchid,
            "description": "sundries",
            "out_trade_no": order_no,
            "payer": {"auth_code": code},
            "amount": {"total": total},
            "scene_info": {"store_info": {"id": "1"}},
        } | changed
        return self.post("/v3/pay/transactions/codepay", body)

    def query(self, order_no: str) -> Answer:
        """Ask about an order."""
        return self.get(f"/v3/pay/transactions/out-trade-no/{order_no}?mchid={self.who.mchid}")

    def request_payment(self, prepay_id: str, **changed: str) -> dict[str, str]:
        """Return the parameters of wx.requestPayment, signed by the merchant."""
        given = {
            "appId": self.who.appid,
            "timeStamp": str(self.clock.at // 1000),
            "nonceStr": "n1",
            "package": f"prepay_id={prepay_id}",
            "signType": "RSA",
        } | changed
        message = "".join(f"{given[name]}\n" for name in ("appId", "timeStamp", "nonceStr", "package"))
        return {"paySign": self.sign(message)} | given

    def pay_by_phone(self, wallet: Mapping[str, Any], prepay_id: str, action: str = "types") -> Any:
        """Pay a prepay_id on that phone; return what the phone shows."""
        given = self.request_payment(prepay_id) | {"action": action}
        return self.switch(f"/sim/wallets/{wallet['wallet_id']}/request-payment", given)

    def paid_order(self, order_no: str, total: int = 1250) -> dict[str, Any]:
        """Return a wallet that has paid an order by mini-program."""
        wallet = self.wallet()
        body = self.order(order_no, wallet["openid"], total)
        prepay = self.post("/v3/pay/transactions/jsapi", body).json()["prepay_id"]
        assert self.pay_by_phone(wallet, prepay)["state"] == "paid"
        return wallet

    def balance(self, account: str) -> int:
        """Return what is on an account of the gateway's ledger, which must add up."""
        books = self.switch("/sim/books")
        assert (books["sum_fen"], books["differences"]) == (0, [])
        return int(books["accounts"].get(account, 0))


@contextmanager
def open_rig(
    credentials: Credentials, store: Path | None = None, clock: Clock | None = None
) -> Iterator[Rig]:
    """Run a gateway with a merchant in front of it."""
    clock = clock or Clock()
    with GatewayServer(credentials, clock, digits, store=store) as server:
        yield Rig(server, clock, credentials)


@dataclass
class Receiver:
    """Takes callbacks; answers as `statuses` says in turn, then 204."""

    rig: Rig
    url: str = ""
    statuses: list[int] = field(default_factory=list)
    hold: threading.Event = field(default_factory=threading.Event)
    holding: bool = False
    got: list[tuple[dict[str, str], bytes]] = field(default_factory=list)
    changed: threading.Condition = field(default_factory=threading.Condition)

    def take(self, headers: dict[str, str], body: bytes) -> int:
        """Note a callback; return the status to answer."""
        if self.holding:
            self.hold.wait(20)
        with self.changed:
            self.got.append((headers, body))
            self.changed.notify_all()
            return self.statuses.pop(0) if self.statuses else 204

    def wait(self, count: int) -> list[tuple[dict[str, str], bytes]]:
        """Return the callbacks as soon as there are so many."""
        with self.changed:
            assert self.changed.wait_for(lambda: len(self.got) >= count, 15), f"{len(self.got)} of {count}"
            return list(self.got)

    def told(self, index: int) -> tuple[str, dict[str, Any]]:
        """Return event type and plaintext of a callback, verified and decrypted."""
        headers, body = self.got[index]
        self.rig.verify(headers, body)
        value = json.loads(body)
        sealed = value["resource"]
        plain = AESGCM(self.rig.who.apiv3_key.encode()).decrypt(
            sealed["nonce"].encode(),
            base64.b64decode(sealed["ciphertext"]),
            sealed["associated_data"].encode(),
        )
        return value["event_type"], json.loads(plain)


@contextmanager
def open_receiver(rig: Rig) -> Iterator[Receiver]:
    """Run a receiver of callbacks and have the gateway send those for NOTIFY_URL to it."""
    receiver = Receiver(rig)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            status = receiver.take({name.lower(): text for name, text in self.headers.items()}, body)
            self.send_response(status)
            self.end_headers()

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    receiver.url = f"http://127.0.0.1:{server.server_address[1]}/notify"
    rig.switch("/sim/notices", {"routes": [{"prefix": NOTIFY_URL, "to": receiver.url}]})
    try:
        yield receiver
    finally:
        receiver.hold.set()
        server.shutdown()
        server.server_close()
        thread.join()
