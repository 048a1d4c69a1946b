"""Secrets stay in files of their own, which systemd may hand over."""

from __future__ import annotations

from pathlib import Path

from edge.errors import Invalid

#: What begins the path of a file that systemd hands to the service (LoadCredential).
CREDENTIAL = "credential:"


def secret_file(path: Path, credentials: str | None) -> Path:
    """Return the file that `path` stands for: `credential:NAME` lies in systemd's folder `credentials`.

    Raises Invalid for a credential where there is no such folder. Source: systemd.exec(5), LoadCredential.
    """
    name = str(path).removeprefix(CREDENTIAL)
    if name == str(path):
        return path
    if not name or "/" in name:
        raise Invalid(f"{path}: a credential is a bare name, such as {CREDENTIAL}keys_apiclient_key.pem")
    if not credentials:
        raise Invalid(
            f"{path} is given by systemd to the service alone and cannot be read here; "
            "run this command as: sudo mall-edge ..."
        )
    return Path(credentials) / name
