"""Reads with joserfc what Keyfob encrypts for a client.

Registers a client for each algorithm with a key of joserfc's own, signs a person in, and reads the ID
token and userinfo. Prints what was checked as one line of JSON; fails at the first check that does not
hold.

Reads OIDC_ISSUER (where everybody may register), OIDC_USERNAME and OIDC_PASSWORD.
"""

import json
import os
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from joserfc import jwe, jwt
from joserfc.jwk import ECKey, KeySet, OKPKey, RSAKey

from form_filler import FormFiller

ISSUER = os.environ["OIDC_ISSUER"]
REDIRECT_URI = "https://encrypted.test/callback"
METHODS = ["A128CBC-HS256", "A128GCM", "A256GCM"]
ALGORITHMS = {
    "RSA-OAEP-256": lambda: RSAKey.generate_key(2048),
    "RSA-OAEP": lambda: RSAKey.generate_key(2048),
    "ECDH-ES": lambda: ECKey.generate_key("P-256"),
    "ECDH-ES+A128KW": lambda: OKPKey.generate_key("X25519"),
    "ECDH-ES+A256KW": lambda: ECKey.generate_key("P-521"),
}


def main():
    """Reads everything with each pair of algorithms."""
    metadata = fetch(f"{ISSUER}/.well-known/openid-configuration")
    assert set(metadata["id_token_encryption_alg_values_supported"]) == set(ALGORITHMS)
    assert set(metadata["userinfo_encryption_enc_values_supported"]) == set(METHODS)
    keys = KeySet.import_key_set(fetch(metadata["jwks_uri"]))
    checks = []
    for algorithm, make in ALGORITHMS.items():
        key = make()
        for method in METHODS:
            read(metadata, keys, key, algorithm, method)
            checks.append(f"{algorithm} {method}")
    print(json.dumps({"client": "joserfc", "checks": checks}))


def read(metadata, keys, key, algorithm, method):
    """Registers, signs in, and reads the ID token and userinfo."""
    public = {**key.as_dict(private=False), "use": "enc", "kid": "own"}
    described = {"redirect_uris": [REDIRECT_URI], "jwks": {"keys": [public]}}
    for answer in ("id_token", "userinfo"):
        described[f"{answer}_signed_response_alg"] = "PS256"
        described[f"{answer}_encrypted_response_alg"] = algorithm
        described[f"{answer}_encrypted_response_enc"] = method
    client = requests.post(metadata["registration_endpoint"], json=described, timeout=10)
    assert client.status_code == 201, client.text
    client = client.json()

    query = {
        "response_type": "code",
        "client_id": client["client_id"],
        "redirect_uri": REDIRECT_URI,
        "scope": "openid email",
    }
    person = FormFiller(ISSUER, os.environ["OIDC_USERNAME"], os.environ["OIDC_PASSWORD"])
    back, page = person.travel(f"{metadata['authorization_endpoint']}?{urlencode(query)}")
    assert back, page
    tokens = requests.post(
        metadata["token_endpoint"],
        data={
            "grant_type": "authorization_code",
            "code": parse_qs(urlsplit(back).query)["code"][0],
            "redirect_uri": REDIRECT_URI,
        },
        auth=(client["client_id"], client["client_secret"]),
        timeout=10,
    ).json()
    userinfo = requests.get(
        metadata["userinfo_endpoint"],
        headers={"Authorization": f"Bearer {tokens['access_token']}"},
        timeout=10,
    )
    assert userinfo.headers["content-type"] == "application/jwt"

    claims = []
    for encrypted in (tokens["id_token"], userinfo.text):
        opened = jwe.decrypt_compact(encrypted, key, algorithms=[algorithm, method])
        assert opened.protected["alg"] == algorithm
        assert opened.protected["enc"] == method
        assert opened.protected["cty"] == "JWT"
        assert opened.protected["kid"] == "own"
        signed = jwt.decode(opened.plaintext.decode(), keys, algorithms=["PS256"])
        assert signed.claims["iss"] == ISSUER
        assert signed.claims["aud"] == client["client_id"]
        claims.append(signed.claims)
    assert claims[0]["sub"] == claims[1]["sub"]


def fetch(url):
    """A document."""
    answer = requests.get(url, timeout=10)
    answer.raise_for_status()
    return answer.json()


if __name__ == "__main__":
    main()
