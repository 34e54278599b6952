"""Which names belong to secrets: the one list that the rules, the comparators and every output go by.

The one module that pure rooms share, which do not know each other otherwise, so that a name is a secret's everywhere or
nowhere.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

_WORDS: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")
_SECRET_WORDS: Final = frozenset(
    {"authentication", "authorization", "bearer", "bsn", "cookie", "cookies", "csrf", "cvc", "cvv", "dsn", "hash",
     "hmac", "jwt", "mnemonic", "otp", "pass", "passphrase", "passcode", "pin", "pwd", "salt", "senha", "sid", "sig",
     "signature", "ssn", "totp", "xsrf"}
)  # fmt: skip
_SECRET_PARTS: Final = (
    "passw", "secret", "token", "apikey", "appkey", "authkey", "privatekey", "accesskey", "encryptionkey",
    "internalkey", "signingkey", "activationkey", "licensekey", "sharedkey", "sessionid", "sessid", "credential",
    "verificationcode", "recoverycode", "backupcode", "onetimecode", "otpcode", "magiclink", "resetlink",
    "rememberme", "clientcert", "wachtwoord", "kennwort", "motdepasse", "contrasena", "codeverifier",
    "oauthverifier", "mfacode", "factorcode", "authcode", "devicecode", "invitecode", "seedphrase",
    "connectionstring", "databaseurl", "dburl", "loginlink", "signedurl", "enckey", "masterkey", "consumerkey",
    "securityanswer", "samlresponse", "cardnumber",
)  # fmt: skip
_SECRET_WHOLE: Final = frozenset({"auth", "xauth", "session", "xsession", "httpauth", "userauth"})
_SESSION: Final = re.compile(
    r"(?:^|[_.-])(?:laravel|ci|symfony|django|wp|php|user|app|login|auth)[_-]?session$", re.IGNORECASE
)
# A law about cookies, a header that says whether they are allowed: words around a secret's that carry none.
_NO_SECRET: Final = re.compile(r"^x-cookie-law$|(?:pass|passed)[_-](?:rate|count|ed)|boarding[_-]?pass|(?i:_env)$")


@lru_cache(maxsize=8192)
def looks_secret(name: str) -> bool:
    """Whether a field, member or parameter of this name carries a secret: password, token, hash, sid and their like."""
    if _NO_SECRET.search(name.lower()):
        return False
    flat = re.sub(r"[^a-z0-9]", "", name.lower())
    return (
        any(part in flat for part in _SECRET_PARTS)
        or flat in _SECRET_WHOLE
        or not _SECRET_WORDS.isdisjoint(words(name))
        or _SESSION.search(name) is not None
    )


def words(name: str) -> set[str]:
    """Return the words of snake_case, kebab-case and camelCase names, in lower case."""
    return {word.lower() for word in _WORDS.findall(name)}
