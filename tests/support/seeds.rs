//! Who and what a fresh server knows: told by `keyfob dev` itself, made by the operator's commands
//! for `keyfob serve`.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};

use super::process::Server;

/// The line that `keyfob dev --ready-json` prints when, and only when, it answers.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Ready {
    /// The issuer identifier.
    pub(crate) issuer: String,
    /// The seeded clients.
    pub(crate) clients: Vec<SeededClient>,
    /// The seeded users.
    pub(crate) users: Vec<SeededUser>,
    /// The process.
    pub(crate) pid: u32,
}

/// A client that the server knows: its RFC 7591 metadata with what it needs to sign in.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SeededClient {
    pub(crate) client_id: String,
    pub(crate) client_secret: Option<String>,
    #[serde(default)]
    pub(crate) redirect_uris: Vec<String>,
    #[serde(default)]
    pub(crate) grant_types: Vec<String>,
    /// The other members.
    #[serde(flatten)]
    pub(crate) metadata: BTreeMap<String, Value>,
}

/// A user that the server knows, with the password in the clear.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct SeededUser {
    pub(crate) username: String,
    pub(crate) password: String,
    pub(crate) email: Option<String>,
    /// The other claims.
    #[serde(flatten)]
    pub(crate) claims: BTreeMap<String, Value>,
}

impl SeededClient {
    /// The redirect URI that a relying party made here uses: one with a path of its own.
    pub(crate) fn callback(&self) -> String {
        let mut uris = self.redirect_uris.iter();
        let chosen = uris.find(|uri| uri.ends_with("/callback"));
        let chosen = chosen.or(self.redirect_uris.first());
        chosen.cloned().unwrap_or_default()
    }

    /// Its first redirect URI that starts so.
    pub(crate) fn redirect_on(&self, start: &str) -> String {
        let mut uris = self.redirect_uris.iter();
        uris.find(|uri| uri.starts_with(start))
            .unwrap_or_else(|| panic!("no redirect URI on {start}: {self:?}"))
            .clone()
    }
}

impl Ready {
    /// The user of that name.
    pub(crate) fn user(&self, username: &str) -> &SeededUser {
        let mut users = self.users.iter();
        users
            .find(|user| user.username == username)
            .unwrap_or_else(|| panic!("no user {username}"))
    }

    /// The first client that `is_it`.
    pub(crate) fn client(&self, is_it: impl Fn(&SeededClient) -> bool) -> &SeededClient {
        let mut clients = self.clients.iter();
        clients
            .find(|client| is_it(client))
            .unwrap_or_else(|| panic!("no such client among {:?}", self.clients))
    }
}

/// Registers, by the operator's commands, what `keyfob dev` has from the start.
pub(crate) fn plant(server: &Server) -> Ready {
    let clients = json!([
        {
            "client_id": "web-app",
            "client_secret": "kfs_a-secret-for-tests-that-nobody-else-uses-0123",
            "client_name": "Web App",
            "redirect_uris": ["http://localhost/callback", "https://rp.test/cb"],
            "post_logout_redirect_uris": ["https://rp.test/bye"],
        },
        {
            "client_id": "single-page-app",
            "token_endpoint_auth_method": "none",
            "redirect_uris": ["https://spa.test/callback"],
        },
        {
            "client_id": "machine",
            "client_secret": "kfs_another-secret-for-tests-that-nobody-uses-0123",
            "redirect_uris": [],
            "grant_types": ["client_credentials"],
            "scope": "stock:read stock:write",
        },
    ]);
    let users = json!([
        {"username": "alice", "password": "violet-otter-7-lamp", "email": "alice@example.com"},
        {"username": "bob", "password": "quiet-maple-4-drum", "email": "bob@example.com"},
    ]);
    for client in clients.as_array().expect("a list") {
        server.add_client(client);
    }
    for user in users.as_array().expect("a list") {
        server.add_user(user);
    }
    let ready = json!({
        "issuer": server.issuer(),
        "clients": clients,
        "users": users,
        "pid": 0,
    });
    serde_json::from_value(ready).expect("what is planted")
}

impl Server {
    /// Registers a client with this metadata; what the command prints.
    pub(crate) fn add_client(&self, metadata: &Value) -> Value {
        let file = self.write("client.json", &metadata.to_string());
        self.operate(&["client", "add", "--metadata", &file, "--json"], "")
    }

    /// Adds a user: `username`, `password`, and claims.
    pub(crate) fn add_user(&self, user: &Value) -> Value {
        let mut claims = user.clone();
        let members = claims.as_object_mut().expect("an object");
        let username = members.remove("username").expect("a user name");
        let password = members.remove("password").expect("a password");
        let file = self.write("claims.json", &claims.to_string());
        let username = username.as_str().unwrap_or_default();
        let password = password.as_str().unwrap_or_default();
        let arguments = ["user", "add", username, "--claims", &file, "--json"];
        self.operate(&arguments, &format!("{password}\n"))
    }

    /// Runs one of the operator's commands on the server's database; what it prints as JSON, `null`
    /// if that is none.
    ///
    /// # Panics
    /// If the command fails.
    pub(crate) fn operate(&self, arguments: &[&str], stdin: &str) -> Value {
        let output = self.run(arguments, stdin);
        let said = String::from_utf8_lossy(&output.stderr);
        assert!(output.status.success(), "{arguments:?}: {said}");
        serde_json::from_slice(&output.stdout).unwrap_or_default()
    }

    fn write(&self, name: &str, text: &str) -> String {
        let path = self.directory().join(name);
        std::fs::write(&path, text).expect("a file in the server's directory");
        path.to_string_lossy().into_owned()
    }
}
