//! What a development server says when it is ready: a summary to copy from, or a line for a
//! script.

use std::fmt::Write as _;

use serde_json::{Value, json};

use crate::oidc::issuer::Issuer;
use crate::oidc::metadata::path;

use super::Development;
use super::seeds::{DEMO_CLIENT, SeededClient, SeededUser};

impl Development {
    /// The environment variables that a confidential web app needs.
    #[must_use]
    pub fn environment(&self, issuer: &Issuer) -> Vec<(&'static str, String)> {
        let mut variables = vec![("OIDC_ISSUER", issuer.to_string())];
        let confidential = self.clients.iter().find(|seeded| seeded.secret.is_some());
        if let Some(seeded) = confidential {
            variables.push(("OIDC_CLIENT_ID", seeded.client.id.to_string()));
            variables.push((
                "OIDC_CLIENT_SECRET",
                seeded.secret.clone().unwrap_or_default(),
            ));
        }
        variables
    }

    /// The line for a script.
    #[must_use]
    pub fn ready_line(&self, issuer: &Issuer, pid: u32) -> Value {
        let clients = self
            .clients
            .iter()
            .filter(|it| it.client.id.as_str() != DEMO_CLIENT);
        json!({
            "issuer": issuer.as_str(),
            "clients": clients.map(SeededClient::to_json).collect::<Vec<_>>(),
            "users": self.users.iter().map(SeededUser::to_json).collect::<Vec<_>>(),
            "pid": pid,
        })
    }

    /// The summary for a person.
    #[must_use]
    pub fn summary(&self, issuer: &Issuer) -> String {
        let mut text = String::new();
        let discovery = issuer.join(path::OPENID_CONFIGURATION);
        // Writing to a String cannot fail.
        let _ = writeln!(text, "\n  Keyfob is ready. Open {issuer}/\n");
        let _ = writeln!(text, "  issuer     {issuer}");
        let _ = writeln!(text, "  discovery  {discovery}\n");
        let _ = writeln!(text, "  client            secret");
        for seeded in self
            .clients
            .iter()
            .filter(|it| it.client.id.as_str() != DEMO_CLIENT)
        {
            let secret = seeded
                .secret
                .as_deref()
                .unwrap_or("none: a public client, PKCE required");
            let _ = writeln!(text, "  {:<17} {secret}", seeded.client.id.as_str());
        }
        let _ = writeln!(text, "\n  user              password");
        for seeded in &self.users {
            let username = seeded.user.username.as_str();
            let _ = writeln!(
                text,
                "  {username:<17} {:<12} {}",
                seeded.password, seeded.note
            );
        }
        let _ = writeln!(
            text,
            "\n  redirect URIs: the usual callback paths on localhost, any port\n"
        );
        for (name, value) in self.environment(issuer) {
            let _ = writeln!(text, "  {name}={value}");
        }
        let _ = writeln!(
            text,
            "\n  For development only: everybody knows these keys and passwords."
        );
        text
    }
}
