"""The gateway's own certificates and keys, and the self-test of signatures.

GET  /sim/keys       the serials that sign now, and the certificates in force
POST /sim/keys       {rotate: public_key | certificate}: sign with a new one from now on
"""

from __future__ import annotations

import base64
from collections.abc import Sequence

from cryptography import x509
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sim.gateway.credentials import PlatformKey
from sim.gateway.endpoints import Auth, Call, Endpoint, Room
from sim.gateway.messages import Json, Reply, json_reply
from sim.gateway.office import Office
from sim.gateway.shapes import Shape, text
from sim.gateway.signatures import Mode
from sim.gateway.times import rfc3339

_ECHO = Shape(
    True,
    dict,
    fields={
        "echo_message": Shape(True),
        "encrypted_echo_message": Shape(pattern=r"[\s\S]{1,1024}"),
        "notify_url": Shape(),
    },
)
_ROTATE = Shape(True, dict, fields={"rotate": Shape(True, pattern="public_key|certificate")})


def _endpoints(office: Office) -> Sequence[Endpoint]:
    def certificates(call: Call) -> Reply:
        # All keys here are RSA: a merchant that asks for SM2 alone has none.
        wanted = call.query.get("algorithm_type", "ALL")
        made = () if wanted == "SM2" else office.signatures.certificates
        return json_reply(200, {"data": [_sealed(office, key) for key in made]})

    def echo(call: Call) -> Reply:
        told: Json = {"echo_message": call.body["echo_message"]}
        if "encrypted_echo_message" in call.body:
            plain = office.signatures.decrypt(text(call.body, "encrypted_echo_message"), call.request)
            told["encrypted_echo_message"] = office.signatures.encrypt(plain, call.mchid)
        return json_reply(200, told)

    def show(_: Call) -> Reply:
        public, certificate = office.signatures.serials
        listed = [key.serial for key in office.signatures.certificates]
        return json_reply(200, {"public_key": public, "certificate": certificate, "certificates": listed})

    def rotate(call: Call) -> Reply:
        return json_reply(201, {"serial": office.signatures.rotate(Mode(text(call.body, "rotate")))})

    algorithm = Shape(pattern="RSA|SM2|ALL")
    return (
        Endpoint(
            "certificates", "GET", "/v3/certificates", certificates, query={"algorithm_type": algorithm}
        ),
        Endpoint("echo", "POST", "/v3/security/echo", echo, _ECHO),
        Endpoint("keys", "GET", "/sim/keys", show, auth=Auth.TESTER),
        Endpoint("rotate", "POST", "/sim/keys", rotate, _ROTATE, auth=Auth.TESTER),
    )


def _sealed(office: Office, key: PlatformKey) -> Json:
    certificate = x509.load_pem_x509_certificate(key.certificate.encode())
    nonce = office.digits(12)
    sealed = AESGCM(office.signatures.apiv3_key).encrypt(
        nonce.encode(), key.certificate.encode(), b"certificate"
    )
    return {
        "serial_no": key.serial,
        "effective_time": rfc3339(int(certificate.not_valid_before_utc.timestamp() * 1000)),
        "expire_time": rfc3339(int(certificate.not_valid_after_utc.timestamp() * 1000)),
        "encrypt_certificate": {
            "algorithm": "AEAD_AES_256_GCM",
            "nonce": nonce,
            "associated_data": "certificate",
            "ciphertext": base64.b64encode(sealed).decode(),
        },
    }


ROOM = Room("certificates", endpoints=_endpoints)
