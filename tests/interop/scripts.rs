//! Relying parties that are scripts: each signs a person in over plain HTTP, and says what it
//! checked.

use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::support::launch::Launch;
use crate::support::process::Server;
use crate::support::requirement::Requirement;
use crate::support::seeds::SeededClient;
use crate::support::toolchain;

#[test]
fn a_relying_party_made_with_openid_client_works() {
    let Some(directory) = Requirement::Interop.require(toolchain::node()) else {
        return;
    };
    signs_in_with_every_client(node("openid_client.mjs"), &directory, 7);
}

#[test]
fn a_device_made_with_openid_client_works() {
    let Some(directory) = Requirement::Interop.require(toolchain::node()) else {
        return;
    };
    let server = Server::dev();
    let client = server.ready.client(|it| it.client_id == "device");
    let mut script = node("device_flow.mjs")();
    let checks = run(script.current_dir(directory), &server, Some(client));
    assert_eq!(checks, 7);
}

#[test]
fn a_relying_party_made_with_openid_client_that_holds_keys_instead_of_secrets_works() {
    let Some(directory) = Requirement::Interop.require(toolchain::node()) else {
        return;
    };
    let server = Launch::dev().arguments(&["--open-registration"]).start();
    let mut script = node("signed_client.mjs")();
    let checks = run(script.current_dir(directory), &server, None);
    assert_eq!(checks, 7);
}

#[test]
fn a_relying_party_made_with_authlib_works() {
    let Some(directory) = Requirement::Interop.require(toolchain::python()) else {
        return;
    };
    let python = directory.join("venv/bin/python");
    let script = || {
        let mut command = Command::new(&python);
        command.arg("authlib_client.py");
        command
    };
    signs_in_with_every_client(script, &directory, 7);
}

#[test]
fn what_is_encrypted_for_a_client_is_read_with_joserfc() {
    let Some(directory) = Requirement::Interop.require(toolchain::python()) else {
        return;
    };
    let server = Launch::dev().arguments(&["--open-registration"]).start();
    let mut script = Command::new(directory.join("venv/bin/python"));
    script.arg("encrypted_answers.py").current_dir(directory);
    let checks = run(&mut script, &server, None);
    assert_eq!(checks, 15);
}

#[test]
fn a_relying_party_made_with_go_oidc_works() {
    let Some(directory) = Requirement::Interop.require(toolchain::go()) else {
        return;
    };
    let script = || Command::new(directory.join("client"));
    signs_in_with_every_client(script, &directory, 5);
}

#[test]
fn a_device_made_with_go_works() {
    let Some(directory) = Requirement::Interop.require(toolchain::go()) else {
        return;
    };
    let server = Server::dev();
    let client = server.ready.client(|it| it.client_id == "device");
    let mut script = Command::new(directory.join("client"));
    let checks = run(script.arg("device"), &server, Some(client));
    assert_eq!(checks, 5);
}

#[test]
fn a_relying_party_made_with_nimbus_works() {
    let Some(directory) = Requirement::Interop.require(toolchain::java()) else {
        return;
    };
    signs_in_with_every_client(java, &directory, 6);
}

#[test]
fn a_relying_party_made_with_nimbus_that_registers_itself_with_a_key_works() {
    let Some(directory) = Requirement::Interop.require(toolchain::java()) else {
        return;
    };
    let server = Launch::dev().arguments(&["--open-registration"]).start();
    let checks = run(java().current_dir(directory), &server, None);
    assert_eq!(checks, 7);
}

fn node(script: &str) -> impl Fn() -> Command {
    move || {
        let mut command = Command::new("node");
        command.arg(script);
        command
    }
}

fn java() -> Command {
    let mut command = Command::new("java");
    command.args(["-cp", "classes:jars/*", "Client"]);
    command
}

/// Runs a script as each client that signs people in.
fn signs_in_with_every_client(script: impl Fn() -> Command, directory: &Path, least: usize) {
    let server = Server::dev();
    for client in [server.web_app(), server.single_page_app()] {
        let checks = run(script().current_dir(directory), &server, Some(client));
        assert!(checks >= least, "only {checks} checks");
    }
}

/// Runs a script for alice, as that client or one that it registers itself; the number of checks
/// that held.
pub(crate) fn run(script: &mut Command, server: &Server, client: Option<&SeededClient>) -> usize {
    let alice = server.user("alice");
    let callback = client.map_or_else(|| CALLBACK.to_owned(), SeededClient::callback);
    script
        .env("OIDC_ISSUER", server.issuer())
        .env("OIDC_REDIRECT_URI", callback)
        .env("OIDC_USERNAME", &alice.username)
        .env("OIDC_PASSWORD", &alice.password)
        .env("NO_PROXY", "localhost");
    if let Some(client) = client {
        script.env("OIDC_CLIENT_ID", &client.client_id);
        if let Some(secret) = &client.client_secret {
            script.env("OIDC_CLIENT_SECRET", secret);
        }
        if let Some(uris) = client.metadata.get("post_logout_redirect_uris") {
            let after_logout = uris[0].as_str().unwrap_or_default();
            script.env("OIDC_POST_LOGOUT_REDIRECT_URI", after_logout);
        }
    }
    let output = script.output().expect("the script to run");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{script:?}: {}\n{said}",
        output.status
    );
    let result: Value = serde_json::from_slice(&output.stdout).expect("a line of JSON");
    result["checks"].as_array().expect("checks").len()
}

/// Where a client that registers itself gets its responses.
const CALLBACK: &str = "http://localhost/callback";
