//! Relying parties of other languages, made with libraries that nobody here wrote. What they do is
//! in `tests/interop/`.

#![allow(
    clippy::expect_used,
    reason = "a test that cannot go on fails, and says why"
)]

mod support;

use std::fs;
use std::path::Path;
use std::process::Command;

use serde_json::Value;
use support::certificates::CertificateAuthority;
use support::launch::{Launch, free_port};
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

#[test]
fn an_mcp_client_that_registers_itself_gets_a_token_for_one_server() {
    let Some(directory) = Requirement::Interop.require(toolchain::node()) else {
        return;
    };
    let server = Launch::dev().arguments(&["--open-registration"]).start();
    let mut script = mcp_client(&directory, free_port());
    assert_eq!(checks(&mut script, &server), 5);
}

#[test]
fn an_mcp_client_that_a_document_describes_gets_a_token_for_one_server() {
    let Some(directory) = Requirement::Interop.require(toolchain::node()) else {
        return;
    };
    let (server_port, client_port) = (free_port(), free_port());
    let authority = CertificateAuthority::new("The authority of the client's host");
    let identity = authority.server(&["localhost"]);
    let files = tempfile::tempdir().expect("a directory");
    let (ca_file, config) = (
        files.path().join("ca.pem"),
        files.path().join("keyfob.toml"),
    );
    fs::write(&ca_file, authority.pem()).expect("a file");
    let settings = format!(
        r#"
        [registration]
        client_id_metadata_documents = true

        [outbound]
        allow = ["localhost:{client_port}"]
        extra_ca_file = "{}"

        [api."http://localhost:{server_port}/mcp"]
        name = "The weather"
        clients = "all"

        [api."http://localhost:{server_port}/mcp".scopes]
        "weather:read" = "Ask how the weather is"
        "#,
        ca_file.display()
    );
    fs::write(&config, settings).expect("a file");
    let config = config.display().to_string();
    let server = Launch::serve().arguments(&["--config", &config]).start();
    let mut script = mcp_client(&directory, server_port);
    script
        .env("CLIENT_PORT", client_port.to_string())
        .env("CLIENT_CERTIFICATE", &identity.pem)
        .env("CLIENT_KEY", &identity.key_pem);
    assert_eq!(checks(&mut script, &server), 5);
}

/// An MCP client of a server on `port`.
fn mcp_client(directory: &Path, port: u16) -> Command {
    let mut script = Command::new("node");
    script.arg("mcp.mjs").current_dir(directory);
    script.env("MCP_PORT", port.to_string());
    script
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
    let after_logout = client.metadata.get("post_logout_redirect_uris");
    let after_logout = after_logout.and_then(|uris| uris[0].as_str());
    script
        .env("OIDC_CLIENT_ID", &client.client_id)
        .env(
            "OIDC_CLIENT_SECRET",
            client.client_secret.as_deref().unwrap_or_default(),
        )
        .env("OIDC_REDIRECT_URI", client.callback())
        .env(
            "OIDC_POST_LOGOUT_REDIRECT_URI",
            after_logout.unwrap_or_default(),
        );
    checks(script, server)
}

/// Runs a script for alice; the number of checks that held.
fn checks(script: &mut Command, server: &Server) -> usize {
    let alice = server.user("alice");
    let output = script
        .env("OIDC_ISSUER", server.issuer())
        .env("OIDC_USERNAME", &alice.username)
        .env("OIDC_PASSWORD", &alice.password)
        .env("NO_PROXY", "localhost")
        .output()
        .expect("the script to run");
    let said = String::from_utf8_lossy(&output.stderr);
    assert!(
        output.status.success(),
        "{:?}: {}\n{said}",
        script.get_args().collect::<Vec<_>>(),
        output.status
    );
    let result: Value = serde_json::from_slice(&output.stdout).expect("a line of JSON");
    result["checks"].as_array().expect("checks").len()
}
