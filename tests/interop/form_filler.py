"""A person at a browser, as far as plain HTTP goes.

Keeps cookies, follows redirects, fills in the login page, allows what the consent page asks and
confirms a logout. Runs no scripts.
"""

from html.parser import HTMLParser
from urllib.parse import urljoin, urlsplit

import requests


class FormFiller:
    """A browser whose home is the issuer: what leads elsewhere ends the journey."""

    def __init__(self, issuer, username, password):
        self._origin = urlsplit(issuer)[:2]
        self._session = requests.Session()
        self._session.trust_env = False
        self._typed = {"username": username, "password": password}

    def travel(self, url):
        """Follows `url`; returns the URL of another origin that it leads to, and the last page."""
        response = self._session.get(url, allow_redirects=False)
        for _ in range(12):
            if response.is_redirect:
                target = urljoin(response.url, response.headers["location"])
                if urlsplit(target)[:2] != self._origin:
                    return target, None
                response = self._session.get(target, allow_redirects=False)
                continue
            response.raise_for_status()
            form = self._fill_in(response.text)
            if form is None:
                return None, response.text
            target = urljoin(response.url, form.action)
            response = self._session.post(target, data=form.fields, allow_redirects=False)
        raise AssertionError("the redirects never end")

    def _fill_in(self, page):
        """What a person would send from this page; None if there is nothing to do on it."""
        for form in _Forms.of(page):
            if "password" in dict(form.fields):
                form.fields = [(name, self._typed.get(name, value)) for name, value in form.fields]
                return form
            for button in form.buttons:
                if button.get("id") in ("consent-allow", "logout-confirm"):
                    if button.get("name"):
                        form.fields.append((button["name"], button.get("value", "")))
                    return form
        return None


class _Form:
    def __init__(self, action):
        self.action = action
        self.fields = []
        self.buttons = []


class _Forms(HTMLParser):
    """Collects the forms of a page."""

    @classmethod
    def of(cls, page):
        parser = cls()
        parser.found = []
        parser.feed(page)
        return parser.found

    def handle_starttag(self, tag, attrs):
        attributes = {name: value or "" for name, value in attrs}
        if tag == "form":
            self.found.append(_Form(attributes.get("action", "")))
        elif self.found and tag == "button":
            self.found[-1].buttons.append(attributes)
        elif self.found and tag == "input" and "name" in attributes:
            if attributes.get("type") != "checkbox" or "checked" in attributes:
                self.found[-1].fields.append((attributes["name"], attributes.get("value", "")))
