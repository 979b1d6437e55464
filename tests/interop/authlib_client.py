"""A relying party made with Authlib.

Signs a person in, reads who they are, refreshes, signs them out. Prints what was checked as one
line of JSON; fails at the first check that does not hold.

Reads OIDC_ISSUER, OIDC_CLIENT_ID, OIDC_CLIENT_SECRET (none for a public client),
OIDC_REDIRECT_URI, OIDC_POST_LOGOUT_REDIRECT_URI (optional), OIDC_USERNAME and OIDC_PASSWORD.
"""

import json
import os
from urllib.parse import parse_qs, urlencode, urlsplit

import requests
from authlib.common.security import generate_token
from authlib.integrations.base_client.errors import OAuthError
from authlib.integrations.requests_client import OAuth2Session
from authlib.oauth2.rfc8414 import get_well_known_url
from authlib.oidc.core import CodeIDToken, UserInfo
from authlib.oidc.discovery import OpenIDProviderMetadata
from joserfc import jwt
from joserfc.jwk import KeySet

from form_filler import FormFiller

ISSUER = os.environ["OIDC_ISSUER"]
CLIENT_ID = os.environ["OIDC_CLIENT_ID"]
SECRET = os.environ.get("OIDC_CLIENT_SECRET") or None
REDIRECT_URI = os.environ["OIDC_REDIRECT_URI"]
POST_LOGOUT_REDIRECT_URI = os.environ.get("OIDC_POST_LOGOUT_REDIRECT_URI") or None
SCOPE = "openid profile email offline_access"


def main():
    """Runs every check with each way in which the client may say who it is."""
    checks = []
    methods = ["client_secret_basic", "client_secret_post"] if SECRET else ["none"]
    for method in methods:
        for name in RelyingParty(method).run():
            checks.append(f"{method}: {name}")
    print(json.dumps({"client": "Authlib", "checks": checks}))


class RelyingParty:
    """One relying party and the browser of the person who uses it."""

    def __init__(self, method):
        self.method = method
        self.browser = FormFiller(
            ISSUER, os.environ["OIDC_USERNAME"], os.environ["OIDC_PASSWORD"]
        )

    def run(self):
        """Yields the name of each check that holds."""
        self.metadata = self._fetch(get_well_known_url(ISSUER, external=True))
        assert self.metadata["issuer"] == ISSUER
        # Authlib's own rules for metadata want https, which loopback does without.
        for member in OpenIDProviderMetadata(self.metadata).REGISTRY_KEYS:
            self._validate_member(member)
        self.keys = KeySet.import_key_set(self._fetch(self.metadata["jwks_uri"]))
        yield "discovery and keys"

        session = self._session()
        token, nonce = self._sign_in(session)
        claims = self._verify(token, nonce)
        yield "code flow with PKCE, state and nonce; ID token verified"

        answer = session.get(self.metadata["userinfo_endpoint"])
        answer.raise_for_status()
        person = UserInfo(answer.json())
        assert person.sub == claims["sub"]
        assert person.email_verified is True
        yield "userinfo"

        refreshed = session.refresh_token(self.metadata["token_endpoint"])
        assert refreshed["access_token"] != token["access_token"]
        assert self._verify(refreshed)["sub"] == claims["sub"]
        yield "refresh"

        if SECRET:
            answer = session.introspect_token(
                self.metadata["introspection_endpoint"], token=refreshed["access_token"]
            )
            assert answer.json()["active"] is True
            yield "introspection"

        answer = session.revoke_token(
            self.metadata["revocation_endpoint"], token=refreshed["refresh_token"]
        )
        assert answer.status_code == 200
        self._expect("invalid_grant", session.refresh_token, self.metadata["token_endpoint"])
        yield "revocation"

        self._sign_out(token["id_token"])
        yield "RP-initiated logout"
        self._expect("login_required", self._sign_in, self._session(), prompt="none")
        yield "signed out"

    def _fetch(self, url):
        answer = requests.get(url, timeout=10)
        answer.raise_for_status()
        return answer.json()

    def _validate_member(self, member):
        try:
            getattr(OpenIDProviderMetadata(self.metadata), f"validate_{member}")()
        except ValueError as error:
            assert "https" in str(error), error

    def _session(self):
        return OAuth2Session(
            CLIENT_ID,
            SECRET,
            token_endpoint_auth_method=self.method,
            revocation_endpoint_auth_method=self.method,
            scope=SCOPE,
            redirect_uri=REDIRECT_URI,
            code_challenge_method="S256",
        )

    def _sign_in(self, session, prompt="consent"):
        nonce, verifier = generate_token(32), generate_token(64)
        url, state = session.create_authorization_url(
            self.metadata["authorization_endpoint"],
            nonce=nonce,
            prompt=prompt,
            code_verifier=verifier,
        )
        back, page = self.browser.travel(url)
        assert back and back.startswith(REDIRECT_URI), f"not sent back: {back or page}"
        response = {name: value for name, (value,) in parse_qs(urlsplit(back).query).items()}
        assert response["iss"] == ISSUER
        if "error" in response:  # as Authlib's integrations of frameworks have it
            raise OAuthError(response["error"], response.get("error_description"))
        token = session.fetch_token(
            self.metadata["token_endpoint"],
            authorization_response=back,
            state=state,
            code_verifier=verifier,
        )
        return token, nonce

    def _verify(self, token, nonce=None):
        algorithms = self.metadata["id_token_signing_alg_values_supported"]
        decoded = jwt.decode(token["id_token"], self.keys, algorithms=algorithms)
        expected = {
            "iss": {"essential": True, "value": ISSUER},
            "aud": {"essential": True, "value": CLIENT_ID},
        }
        if nonce:
            expected["nonce"] = {"essential": True, "value": nonce}
        parameters = {"client_id": CLIENT_ID, "access_token": token["access_token"]}
        if nonce:
            parameters["nonce"] = nonce
        CodeIDToken(decoded.claims, decoded.header, expected, parameters).validate(leeway=5)
        return decoded.claims

    def _sign_out(self, hint):
        query = {"id_token_hint": hint}
        if POST_LOGOUT_REDIRECT_URI:
            query["post_logout_redirect_uri"] = POST_LOGOUT_REDIRECT_URI
            query["state"] = "after"
        back, page = self.browser.travel(
            self.metadata["end_session_endpoint"] + "?" + urlencode(query)
        )
        if POST_LOGOUT_REDIRECT_URI:
            assert back and back.startswith(POST_LOGOUT_REDIRECT_URI), back or page
            assert parse_qs(urlsplit(back).query)["state"] == ["after"]
        else:
            assert page

    def _expect(self, error, action, *arguments, **keywords):
        try:
            action(*arguments, **keywords)
        except OAuthError as refusal:
            assert refusal.error == error, refusal
        else:
            raise AssertionError(f"{error} was expected")


if __name__ == "__main__":
    main()
