//! Clients of the Model Context Protocol, made with its own SDK, that nobody registered.

use std::fs;
use std::path::Path;
use std::process::Command;

use crate::scripts::run;
use crate::support::certificates::CertificateAuthority;
use crate::support::launch::{Launch, free_port};
use crate::support::requirement::Requirement;
use crate::support::toolchain;

#[test]
fn an_mcp_client_that_registers_itself_gets_a_token_for_one_server() {
    let Some(directory) = Requirement::Interop.require(toolchain::node()) else {
        return;
    };
    let server = Launch::dev().arguments(&["--open-registration"]).start();
    let checks = run(&mut script(&directory, free_port()), &server, None);
    assert_eq!(checks, 5);
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
    let [ca_file, config] = ["ca.pem", "keyfob.toml"].map(|name| files.path().join(name));
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
    let mut script = script(&directory, server_port);
    script
        .env("CLIENT_PORT", client_port.to_string())
        .env("CLIENT_CERTIFICATE", &identity.pem)
        .env("CLIENT_KEY", &identity.key_pem);
    assert_eq!(run(&mut script, &server, None), 5);
}

/// The MCP server on `port`, and its client.
fn script(directory: &Path, port: u16) -> Command {
    let mut script = Command::new("node");
    script.arg("mcp.mjs").current_dir(directory);
    script.env("MCP_PORT", port.to_string());
    script
}
