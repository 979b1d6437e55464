#!/usr/bin/env python3
"""Runs the OpenID Foundation's conformance plans against Keyfob.

    tests/conformance/run.py https://localhost.emobix.co.uk:8443 [PLAN ...]

The address is that of a conformance suite that is running already; PLAN is the name of a plan in
plans.json, and without one all of them are run. This starts Keyfob itself, with its data in
target/conformance, registers the person and the clients that the plans need, lets the suite run
every module, rotates Keyfob's keys where a module waits for that, and holds each result against
expected.json. The results of whole plans are kept in target/conformance/results, and
docs/conformance.md is written of the last one of each. It exits with 1 if anything was not as
expected.

Needs Python 3.9 or later and openssl, for the certificates and keys of the run.
"""

import argparse
import base64
import concurrent.futures
import datetime
import fnmatch
import json
import os
import pathlib
import secrets
import shutil
import ssl
import subprocess
import sys
import threading
import time
import urllib.error
import urllib.parse
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parent.parent
WORK = REPOSITORY / "target" / "conformance"
REPORT = REPOSITORY / "docs" / "conformance.md"
USERNAME = "conformance"
RESULTS = ["PASSED", "SKIPPED", "REVIEW", "WARNING", "FAILED"]
MODULE_SECONDS = 150


def main():
    arguments = parse_arguments()
    plans = json.loads((HERE / "plans.json").read_text())
    chosen = [plan for plan in plans if chooses(arguments.plans, plan["name"])]
    if not chosen:
        sys.exit(f"no plan is called that; there are {', '.join(plan['name'] for plan in plans)}")
    suite = Suite(arguments.suite)
    run = {"date": datetime.date.today().isoformat(), "commit": commit(), "suite": suite.version()}
    results, unexpected = [], []
    for configuration in dict.fromkeys(plan.get("configuration", "keyfob.toml") for plan in chosen):
        group = [plan for plan in chosen if plan.get("configuration", "keyfob.toml") == configuration]
        keyfob = Keyfob(arguments, suite, configuration)
        try:
            keyfob.prepare(group)
            with concurrent.futures.ThreadPoolExecutor(arguments.jobs) as pool:
                started = [pool.submit(run_plan, suite, keyfob, plan, arguments) for plan in group]
                for it in started:
                    result = {**it.result(), "run": run}
                    results.append(result)
                    unexpected += judge(result)
                    if not arguments.module:
                        keep(result)
        finally:
            keyfob.stop()
    print(table(results))
    for line in unexpected:
        print(f"unexpected: {line}")
    if not arguments.module:
        REPORT.write_text(report(plans))
    sys.exit(1 if unexpected else 0)


def parse_arguments():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n", 1)[0])
    parser.add_argument("suite", help="the base URL of a running conformance suite")
    parser.add_argument("plans", nargs="*", help="names of plans, * for any text [default: all]")
    parser.add_argument("--module", action="append", help="only this module; may be repeated")
    parser.add_argument("--keyfob", default=str(REPOSITORY / "target" / "debug" / "keyfob"))
    parser.add_argument("--host", help="the host of the issuer [default: that of the suite]")
    parser.add_argument("--suite-ca", help="PEM file of who signed the suite's certificate [default: itself]")
    parser.add_argument("--port", type=int, default=9443, help="the port of the issuer [9443]")
    parser.add_argument("--jobs", type=int, default=2, help="how many plans run at once [2]")
    return parser.parse_args()


def chooses(patterns, name):
    return not patterns or any(fnmatch.fnmatch(name, pattern) for pattern in patterns)


class Suite:
    """A running conformance suite, by its HTTP API."""

    def __init__(self, base):
        self.base = base.rstrip("/")
        self.host = urllib.parse.urlsplit(self.base).hostname
        self.port = urllib.parse.urlsplit(self.base).port or 443

    def call(self, method, path, body=None, **query):
        url = f"{self.base}/api/{path}"
        if query:
            url += "?" + urllib.parse.urlencode(query)
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data, {"content-type": "application/json"}, method=method)
        try:
            with urllib.request.urlopen(request, context=UNVERIFIED, timeout=90) as response:
                text = response.read()
        except urllib.error.HTTPError as error:
            raise RuntimeError(f"{method} {url}: {error.code} {error.read()[:500]!r}") from error
        return json.loads(text) if text else None

    def certificate(self):
        """The suite's certificate, which Keyfob has to trust."""
        return ssl.get_server_certificate((self.host, self.port))

    def version(self):
        try:
            return self.call("GET", "server").get("version", "unknown")
        except RuntimeError:
            return "unknown"

    def wait(self, test, *states):
        """Waits until a test is in one of `states`, and says in which; None if it takes too long."""
        until = time.monotonic() + MODULE_SECONDS
        wanted = ",".join([*states, "INTERRUPTED"])
        while time.monotonic() < until:
            answer = self.call("GET", f"runner/{test}/wait-state", states=wanted, timeoutMs=20000)
            if answer.get("state"):
                return answer["state"]
        return None


class Keyfob:
    """The server under test, with a database of its own."""

    def __init__(self, arguments, suite, configuration):
        self.suite = suite
        self.program = arguments.keyfob
        self.host = arguments.host or suite.host
        self.issuer = f"https://{self.host}:{arguments.port}"
        self.directory = WORK / configuration.removesuffix(".toml")
        self.configuration = HERE / configuration
        self.process = None
        self.password = secrets.token_urlsafe(16)
        self.rotation = threading.Lock()
        shutil.rmtree(self.directory, ignore_errors=True)
        self.directory.mkdir(parents=True)
        certificate, key = make_certificate(self.directory, "server", self.host)
        authorities = pathlib.Path(arguments.suite_ca or self.directory / "suite.pem")
        if not arguments.suite_ca:
            authorities.write_text(suite.certificate())
        self.environment = {
            **os.environ,
            "KEYFOB_ISSUER": self.issuer,
            "KEYFOB_LISTEN": f"127.0.0.1:{arguments.port}",
            "KEYFOB_MASTER_KEY": secrets.token_hex(32),
            "KEYFOB_DATABASE__URL": f"sqlite:{self.directory / 'keyfob.db'}",
            "KEYFOB_OUTBOUND__ALLOW": f"{suite.host}:{suite.port}",
            "KEYFOB_OUTBOUND__EXTRA_CA_FILE": str(authorities),
            "KEYFOB_TLS__CERTIFICATE": str(certificate),
            "KEYFOB_TLS__PRIVATE_KEY": str(key),
        }

    def command(self, *arguments, given=None):
        command = [self.program, *arguments, "--config", str(self.configuration)]
        done = subprocess.run(command, input=given, env=self.environment, text=True, capture_output=True)
        if done.returncode != 0:
            raise RuntimeError(f"{' '.join(arguments)}: {done.stderr.strip()}")
        return done.stdout

    def prepare(self, plans):
        """Registers the person and the clients, and starts."""
        claims = str(HERE / "user.json")
        self.command("user", "add", USERNAME, "--claims", claims, "--password-stdin", given=self.password)
        for plan in plans:
            plan["roles"] = {}
            for role, name in plan.get("clients", {}).items():
                metadata, section = self.client(plan, role, name)
                file = self.directory / f"{plan['name']}-{role}.json"
                file.write_text(json.dumps(metadata, indent=2))
                self.command("client", "add", "--metadata", str(file))
                plan["roles"][role] = section
        log = open(self.directory / "keyfob.log", "w")
        command = [self.program, "serve", "--config", str(self.configuration)]
        self.process = subprocess.Popen(command, env=self.environment, stdout=log, stderr=log)
        for _ in range(100):
            try:
                return self.get("/.well-known/openid-configuration")
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.1)
        raise RuntimeError(f"Keyfob does not start; see {log.name}")

    def client(self, plan, role, name):
        """Client metadata for `keyfob client add`, and what the suite is told of the client."""
        client_id = f"{plan['name']}-{role.replace('_', '-')}"
        metadata = fill(json.loads((HERE / "clients" / f"{name}.json").read_text()), self.words(plan))
        section = {"client_id": client_id, **metadata.pop("suite", {})}
        metadata["client_id"] = client_id
        method = metadata.get("token_endpoint_auth_method", "client_secret_basic")
        if method.startswith("client_secret"):
            metadata["client_secret"] = section["client_secret"] = secrets.token_urlsafe(48)
            section["client_secret_jwt_alg"] = metadata.get("token_endpoint_auth_signing_alg", "HS256")
        published = []
        if "jwks" in metadata:
            # The file names the algorithms; the keys are made for this run.
            keys = [make_key(self.directory, entry["alg"]) for entry in metadata["jwks"]["keys"]]
            section["jwks"] = {"keys": keys}
            published += [{k: v for k, v in key.items() if k != "d"} for key in keys]
        if metadata.pop("has_certificate", False):
            certificate, key = make_certificate(self.directory, client_id, client_id)
            plan["roles"]["mtls2" if role == "client2" else "mtls"] = {
                "cert": certificate.read_text(), "key": key.read_text()}
            if method == "self_signed_tls_client_auth":
                published.append(certificate_key(certificate))
        if published:
            metadata["jwks"] = {"keys": published}
        return metadata, section

    def words(self, plan):
        return {
            "suite": self.suite.base,
            "callback": f"{self.suite.base}/test/a/{alias(plan)}",
            "issuer": self.issuer,
            "host": self.host,
            "username": USERNAME,
            "password": self.password,
        }

    def get(self, path):
        with urllib.request.urlopen(self.issuer + path, context=UNVERIFIED, timeout=10) as response:
            return json.load(response)

    def rotate_keys(self):
        """Rotates, and waits until the server publishes the new keys."""
        with self.rotation:
            before = self.published_keys()
            until = time.monotonic() + 120
            while time.monotonic() < until:
                try:
                    # The module knows no keys of type OKP, so those of EdDSA stay.
                    self.command("key", "rotate", "--alg", "RS256")
                    break
                except RuntimeError as error:
                    if "under way" not in str(error):
                        raise
                    time.sleep(2)
            while time.monotonic() < until:
                if self.published_keys() - before:
                    return
                time.sleep(0.2)
        raise RuntimeError("Keyfob did not publish new keys")

    def published_keys(self):
        return {key["kid"] for key in self.get("/.well-known/jwks.json")["keys"]}

    def stop(self):
        if self.process and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)


def run_plan(suite, keyfob, plan, arguments):
    """Runs the modules of one plan one after the other, since they share an alias."""
    configuration = plan_configuration(keyfob, plan)
    variant = json.dumps(plan.get("variant", {}))
    created = suite.call("POST", "plan", configuration, planName=plan["plan"], variant=variant)
    modules = []
    # Consent is remembered, so the person says no before they have ever said yes.
    refusals_first = sorted(created["modules"], key=lambda it: "user-rejects" not in it["testModule"])
    for module in refusals_first:
        name = module["testModule"]
        if arguments.module and not chooses(arguments.module, name):
            continue
        begun = time.monotonic()
        outcome = run_module(suite, keyfob, plan, created["id"], module)
        modules.append(outcome)
        seconds = time.monotonic() - begun
        print(f"{plan['name']:<28} {name:<72} {outcome['result']:<8} {seconds:4.0f} s", flush=True)
        for entry in outcome["complaints"]:
            print(f"    {entry['result']}: {entry['condition']}: {entry['message']}", flush=True)
    return {"plan": plan, "modules": modules}


def run_module(suite, keyfob, plan, plan_id, module):
    name = module["testModule"]
    query = {"test": name, "plan": plan_id, "variant": json.dumps(module.get("variant") or {})}
    test = suite.call("POST", "runner", **query)["id"]
    state = suite.wait(test, "CONFIGURED", "WAITING", "FINISHED")
    if state == "CONFIGURED" and name == "oidcc-server-rotate-keys":
        keyfob.rotate_keys()
        suite.call("POST", f"runner/{test}")
    state = suite.wait(test, "FINISHED")
    information = suite.call("GET", f"info/{test}")
    log = suite.call("GET", f"log/{test}")
    if state is None:
        suite.call("DELETE", f"runner/{test}")
    folder = WORK / "logs" / plan["name"]
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{name}.json").write_text(json.dumps(log, indent=1))
    complaints = [
        {"condition": entry.get("src", ""), "result": entry["result"], "message": entry.get("msg", "")}
        for entry in log
        if entry.get("result") in ("FAILURE", "WARNING")
    ]
    result = information.get("result") or "FAILED"
    if state != "FINISHED":
        result = "FAILED"
        complaints.append({"condition": "", "result": "FAILURE", "message": f"it ended as {state}"})
    return {"module": name, "result": result, "complaints": complaints, "test": test}


def plan_configuration(keyfob, plan):
    """What the suite is told: the server, the clients, and how to press Keyfob's buttons."""
    browser = json.loads((HERE / "browser.json").read_text())

    def pages(names):
        chosen = [browser["pages"][name] for name in names]
        return [{**page, "tasks": [browser["steps"][step] for step in page["steps"]]} for page in chosen]

    override = {name: {"browser": pages(names)} for name, names in browser["modules"].items()}
    configuration = {
        "alias": alias(plan),
        "description": f"Keyfob: {plan['name']}",
        "server": {"discoveryUrl": "{issuer}/.well-known/openid-configuration"},
        **{role: {"client_name": f"Conformance {role}"} for role in plan.get("dynamic", [])},
        "browser": pages(browser["default"]),
        "override": override,
        "options": {"browsercontrol_css_enable": False},
    }
    for section, members in plan.get("config", {}).items():
        configuration[section] = {**configuration.get(section, {}), **members}
    configuration.update(plan["roles"])
    return fill(configuration, keyfob.words(plan))


def alias(plan):
    return f"keyfob-{plan['name']}"


def fill(value, words):
    """Puts words in for their names in braces."""
    if isinstance(value, str):
        for name, word in words.items():
            value = value.replace("{" + name + "}", word)
        return value
    if isinstance(value, list):
        return [fill(item, words) for item in value]
    if isinstance(value, dict):
        return {key: fill(item, words) for key, item in value.items()}
    return value


def judge(result):
    """Holds the results of a plan against expected.json, and says what differs."""
    expected = json.loads((HERE / "expected.json").read_text())
    unexpected = []
    plan = result["plan"]["name"]
    for module in result["modules"]:
        entry = next((it for it in expected if applies(it, plan, module["module"])), None)
        module["reason"] = entry["reason"] if entry else ""
        wanted = entry["result"] if entry else "PASSED"
        allowed = entry.get("conditions", []) if entry else []
        others = [it for it in module["complaints"] if it["condition"] not in allowed]
        module["is_expected"] = module["result"] == wanted and not others
        if module["result"] != wanted:
            unexpected.append(f"{plan} {module['module']}: {module['result']}, not {wanted}")
        for it in others:
            told = f"{it['result']} {it['condition']}: {it['message']}"
            unexpected.append(f"{plan} {module['module']}: {told}")
    return unexpected


def applies(entry, plan, module):
    return chooses(entry["plans"], plan) and fnmatch.fnmatch(module, entry["module"])


def counts(result):
    found = [module["result"] for module in result["modules"]]
    return [found.count(name) for name in RESULTS]


def table(results):
    rows = ["| Plan | Variant | Modules | " + " | ".join(name.capitalize() for name in RESULTS)
            + " | Unexpected | Date | Commit |",
            "|---|---|--:|" + "--:|" * len(RESULTS) + "--:|---|---|"]
    for result in results:
        plan, run = result["plan"], result["run"]
        variant = ", ".join(plan.get("variant", {}).values()) or "none"
        unexpected = sum(not module["is_expected"] for module in result["modules"])
        cells = [len(result["modules"]), *counts(result), unexpected, run["date"], run["commit"]]
        rows.append(f"| `{plan['plan']}` | {variant} | " + " | ".join(map(str, cells)) + " |")
    return "\n".join(rows)


def keep(result):
    folder = WORK / "results"
    folder.mkdir(parents=True, exist_ok=True)
    plan = {key: value for key, value in result["plan"].items() if key != "roles"}
    (folder / f"{plan['name']}.json").write_text(json.dumps({**result, "plan": plan}, indent=1))


def report(plans):
    files = [(plan["name"], WORK / "results" / f"{plan['name']}.json") for plan in plans]
    results = [json.loads(file.read_text()) for _, file in files if file.exists()]
    missing = [name for name, file in files if not file.exists()]
    suites = sorted({result["run"]["suite"] for result in results})
    lines = [
        "# Conformance",
        "",
        f"The plans of the [OpenID Foundation's conformance suite](https://openid.net/certification/), release",
        f"{' and '.join(suites)}, run against Keyfob by `just conformance` (see [CONTRIBUTING.md](../CONTRIBUTING.md)). This",
        "page is written by that command. It is no certification.",
        "",
        table(results),
        "",
        "A review is a page that a person has to look at; the suite keeps what was shown. Skipped is what the suite",
        "leaves out because the server says that it does not offer it. Unexpected is what `expected.json` does not",
        "foresee.",
    ]
    if missing:
        lines += ["", f"Described and not run yet: {', '.join(missing)}."]
    lines += ["", "## What did not simply pass", ""]
    reasons = {}
    for result in results:
        for module in result["modules"]:
            if module["result"] != "PASSED" or not module["is_expected"]:
                told = "; ".join(f"{it['condition']}: {it['message']}" for it in module["complaints"])
                why = module["reason"] if module["is_expected"] else f"**not expected**: {told}"
                key = (module["module"], module["result"], why)
                reasons.setdefault(key, {})[result["plan"]["name"]] = None
    lines += ["| Module | Result | Why | Plans |", "|---|---|---|---|"]
    for (module, result, reason), names in sorted(reasons.items()):
        lines.append(f"| `{module}` | {result.lower()} | {reason} | {', '.join(names)} |")
    return "\n".join(lines) + "\n"


def commit():
    changed = "+" if git("status", "--porcelain", "src", "templates", "static", "migrations") else ""
    return git("rev-parse", "--short=10", "HEAD") + changed


def git(*arguments):
    return subprocess.run(["git", "-C", str(REPOSITORY), *arguments], text=True, capture_output=True).stdout.strip()


def make_certificate(directory, name, host):
    """A self-signed certificate and its key, as PEM files."""
    certificate, key = directory / f"{name}.pem", directory / f"{name}.key"
    openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "30",
            "-subj", f"/CN={host}", "-addext", f"subjectAltName=DNS:{host}",
            "-keyout", str(key), "-out", str(certificate))
    key.chmod(0o600)
    return certificate, key


def make_key(directory, algorithm):
    """A private key for signatures, as a JWK."""
    if algorithm != "ES256":
        raise ValueError(f"keys for {algorithm} are not made here")
    file = directory / "made.der"
    openssl("ecparam", "-name", "prime256v1", "-genkey", "-noout", "-outform", "DER", "-out", str(file))
    # RFC 5915: the private value stands after a header of seven bytes, the point comes last.
    der = file.read_bytes()
    file.unlink()
    d, x, y = der[7:39], der[-64:-32], der[-32:]
    return {"kty": "EC", "crv": "P-256", "alg": algorithm, "use": "sig", "kid": secrets.token_urlsafe(8),
            "d": base64url(d), "x": base64url(x), "y": base64url(y)}


def certificate_key(certificate):
    """The public key of a certificate as a JWK, with the certificate itself."""
    pem = certificate.read_text()
    public = openssl("x509", "-in", str(certificate), "-noout", "-pubkey")
    der = base64.b64decode("".join(public.decode().strip().splitlines()[1:-1]))
    return {"kty": "EC", "crv": "P-256", "kid": secrets.token_urlsafe(8),
            "x": base64url(der[-64:-32]), "y": base64url(der[-32:]),
            "x5c": ["".join(pem.strip().splitlines()[1:-1])]}


def base64url(value):
    return base64.urlsafe_b64encode(value).rstrip(b"=").decode()


def openssl(*arguments):
    return subprocess.run(["openssl", *arguments], check=True, capture_output=True).stdout


# The suite and Keyfob have certificates of their own making.
UNVERIFIED = ssl.create_default_context()
UNVERIFIED.check_hostname = False
UNVERIFIED.verify_mode = ssl.CERT_NONE

if __name__ == "__main__":
    main()
