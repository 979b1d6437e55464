//! Relying parties of other languages, made with libraries that nobody here wrote. What they do is
//! in `tests/interop/`.

#![allow(
    clippy::expect_used,
    reason = "a test that cannot go on fails, and says why"
)]

mod support;

use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::process::Server;
use support::requirement::Requirement;
use support::seeds::SeededClient;
use support::toolchain;

#[test]
fn a_relying_party_made_with_openid_client_works() {
    let Some(directory) = Requirement::Interop.require(toolchain::node()) else {
        return;
    };
    let mut command = Command::new("node");
    command.arg("openid_client.mjs");
    signs_in_with_every_client(&command, &directory, 7);
}

#[test]
fn a_device_made_with_openid_client_works() {
    let Some(directory) = Requirement::Interop.require(toolchain::node()) else {
        return;
    };
    let server = Server::dev();
    let client = server.ready.client(|it| it.client_id == "device");
    let mut script = Command::new("node");
    script.arg("device_flow.mjs").current_dir(directory);
    let checks = run(&mut script, &server, client);
    assert_eq!(checks, 7);
}

#[test]
fn a_relying_party_made_with_authlib_works() {
    let Some(directory) = Requirement::Interop.require(toolchain::python()) else {
        return;
    };
    let mut command = Command::new(directory.join("venv/bin/python"));
    command.arg("authlib_client.py");
    signs_in_with_every_client(&command, &directory, 7);
}

#[test]
fn a_relying_party_made_with_go_oidc_works() {
    let Some(directory) = Requirement::Interop.require(toolchain::go()) else {
        return;
    };
    let command = Command::new(directory.join("client"));
    signs_in_with_every_client(&command, &directory, 5);
}

#[test]
fn a_device_made_with_go_works() {
    let Some(directory) = Requirement::Interop.require(toolchain::go()) else {
        return;
    };
    let server = Server::dev();
    let client = server.ready.client(|it| it.client_id == "device");
    let mut script = Command::new(directory.join("client"));
    script.arg("device");
    let checks = run(&mut script, &server, client);
    assert_eq!(checks, 5);
}

fn signs_in_with_every_client(command: &Command, directory: &Path, least: usize) {
    let server = Server::dev();
    for client in [server.web_app(), server.single_page_app()] {
        let mut script = Command::new(command.get_program());
        script.args(command.get_args()).current_dir(directory);
        let checks = run(&mut script, &server, client);
        assert!(checks >= least, "only {checks} checks");
    }
}

/// Runs a script as that client, for alice; the number of checks that held.
fn run(script: &mut Command, server: &Server, client: &SeededClient) -> usize {
    let alice = server.user("alice");
    let after_logout = client.metadata.get("post_logout_redirect_uris");
    let after_logout = after_logout.and_then(|uris| uris[0].as_str());
    let output = script
        .env("OIDC_ISSUER", server.issuer())
        .env("OIDC_CLIENT_ID", &client.client_id)
        .env(
            "OIDC_CLIENT_SECRET",
            client.client_secret.as_deref().unwrap_or_default(),
        )
        .env("OIDC_REDIRECT_URI", client.callback())
        .env(
            "OIDC_POST_LOGOUT_REDIRECT_URI",
            after_logout.unwrap_or_default(),
        )
        .env("OIDC_USERNAME", &alice.username)
        .env("OIDC_PASSWORD", &alice.password)
        .env("NO_PROXY", "localhost")
        .output()
        .expect("the script to run");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "as {}: {}\n{said}",
        client.client_id,
        output.status
    );
    let result: Value = serde_json::from_slice(&output.stdout).expect("a line of JSON");
    result["checks"].as_array().expect("checks").len()
}
