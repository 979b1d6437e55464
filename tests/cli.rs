//! The commands as scripts use them: what they read, what they write, and how they end.

#![expect(
    clippy::unwrap_used,
    reason = "the helpers of a test are not tests to clippy"
)]

use std::io::Write as _;
use std::process::{Command, Output, Stdio};

use serde_json::{Value, json};
use tempfile::TempDir;

/// A directory of its own with a database in it.
struct Site {
    directory: TempDir,
}

/// How a command ended.
struct Ended {
    status: i32,
    stdout: String,
    stderr: String,
}

impl Ended {
    fn json(&self) -> Value {
        assert_eq!(self.status, 0, "{}", self.stderr);
        serde_json::from_str(&self.stdout).unwrap()
    }
}

impl Site {
    fn new() -> Self {
        Self {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// Runs `keyfob` with the words of `line` and `stdin`.
    fn run(&self, line: &str, stdin: &str) -> Ended {
        let mut command = Command::new(env!("CARGO_BIN_EXE_keyfob"));
        for (name, _) in std::env::vars_os() {
            if name.to_string_lossy().starts_with("KEYFOB_") {
                command.env_remove(name);
            }
        }
        let mut child = command
            .args(line.split_whitespace())
            .current_dir(self.directory.path())
            .env("KEYFOB_ISSUER", "https://login.example.com")
            .env("KEYFOB_MASTER_KEY", MASTER_KEY)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        // A command that reads nothing may have ended before this.
        let _ = child.stdin.take().unwrap().write_all(stdin.as_bytes());
        let Output {
            status,
            stdout,
            stderr,
        } = child.wait_with_output().unwrap();
        let stderr = String::from_utf8(stderr).unwrap();
        assert!(!stderr.contains("panicked"), "{line}: {stderr}");
        Ended {
            status: status.code().unwrap(),
            stdout: String::from_utf8(stdout).unwrap(),
            stderr,
        }
    }
}

#[test]
fn users_are_made_shown_changed_and_deleted() {
    let site = Site::new();
    let made = site.run(
        "user add Alice --email alice@example.com --group staff --group admins --json",
        "correct horse battery staple\n",
    );
    let alice = made.json();
    assert_eq!(alice["username"], "alice");
    assert_eq!(alice["groups"], json!(["staff", "admins"]));
    assert_eq!(alice["has_password"], true);

    let claims = r#"{"name": "Bob Example", "locale": "nb-NO"}"#;
    site.run("user add bob --claims - --no-password --json", claims)
        .json();

    let listed = site.run("user list --json", "").json();
    assert_eq!(listed["users"][1]["claims"]["locale"], "nb-NO");
    assert_eq!(listed["users"][1]["has_password"], false);
    let table = site.run("user list", "").stdout;
    assert!(table.contains("alice@example.com") && table.contains("Bob Example"));

    assert_eq!(
        site.run("user disable bob --json", "").json()["enabled"],
        false
    );
    assert_eq!(
        site.run("user enable bob --json", "").json()["enabled"],
        true
    );
    let set = site.run("user set-password bob", "another long passphrase\n");
    assert_eq!(set.status, 0, "{}", set.stderr);
    let sub = alice["sub"].as_str().unwrap();
    let shown = site.run(&format!("user show {sub}"), "").stdout;
    assert!(
        shown.contains("alice") && !shown.contains("argon2"),
        "{shown}"
    );
    assert_eq!(
        site.run("user delete alice", "").stdout,
        "alice is deleted.\n"
    );
    assert_eq!(site.run("user show alice", "").status, 3);
}

#[test]
fn clients_are_made_shown_changed_and_deleted() {
    let site = Site::new();
    let shop = site
        .run(
            "client add --name Shop --client-id shop --redirect-uri https://shop.example/cb --json",
            "",
        )
        .json();
    assert_eq!(shop["client_id"], "shop");
    let secret = shop["client_secret"].as_str().unwrap();
    assert!(secret.starts_with("kfs_"), "{secret}");

    let metadata = json!({"clients": [
        {"client_id": "chosen", "client_secret": "a-secret-of-my-own-choice",
         "redirect_uris": ["https://rp.example/cb"]},
        {"client_name": "Phone", "token_endpoint_auth_method": "none",
         "redirect_uris": ["com.example.phone:/cb"], "software_statement": "x"},
    ]});
    let made = site.run("client add --metadata - --json", &metadata.to_string());
    let clients = made.json();
    assert_eq!(
        clients["clients"][0]["client_secret"],
        "a-secret-of-my-own-choice"
    );
    assert_eq!(clients["clients"][1]["client_secret"], Value::Null);
    assert!(
        made.stderr.contains("software_statement is ignored"),
        "{}",
        made.stderr
    );

    let listed = site.run("client list --json", "");
    assert_eq!(listed.json()["clients"].as_array().unwrap().len(), 3);
    assert!(
        !listed.stdout.contains("client_secret\""),
        "{}",
        listed.stdout
    );

    let rotated = site.run("client rotate-secret shop --json", "").json();
    assert_ne!(rotated["client_secret"], shop["client_secret"]);
    assert!(rotated["previous_client_secret_expires_at"].is_i64());
    let shown = site.run("client show shop", "").stdout;
    assert!(
        shown.contains("accepted until") && !shown.contains("kfs_"),
        "{shown}"
    );

    assert_eq!(site.run("client delete shop", "").status, 0);
    assert_eq!(site.run("client show shop", "").status, 3);
}

#[test]
fn what_was_made_before_a_mistake_is_shown_because_secrets_are_shown_once() {
    let site = Site::new();
    let client = json!({"client_id": "a", "redirect_uris": ["https://a.example/cb"]});
    let twice = json!({"clients": [client, client]});
    let ended = site.run("client add --metadata - --json", &twice.to_string());
    assert_eq!(ended.status, 4);
    let shown: Value = serde_json::from_str(&ended.stdout).unwrap();
    assert_eq!(shown["clients"].as_array().unwrap().len(), 1);
    assert!(shown["clients"][0]["client_secret"].is_string());
}

#[test]
fn the_exit_status_says_what_went_wrong() {
    let site = Site::new();
    let password = "correct horse battery staple\n";
    assert_eq!(site.run("user add alice", password).status, 0);
    for (line, stdin, status, said) in [
        ("user add alice", password, 4, "alice"),
        ("user add a@b", password, 5, "user name"),
        ("user add bob", "\n", 5, "empty"),
        ("user add bob", "short\n", 5, ""),
        (
            "user add bob --claims - --no-password",
            "{",
            5,
            "line 1 column 1",
        ),
        ("user add bob --claims -", "{}", 2, "standard input"),
        (
            "user add bob --claims /nowhere.json",
            "",
            5,
            "/nowhere.json",
        ),
        ("user add bob --password hunter2", "", 2, "--password"),
        ("user show carol", "", 3, "carol"),
        ("client show shop", "", 3, "shop"),
        ("client add --name Shop", "", 5, "redirect_uris"),
        ("client add --public --metadata x.json", "", 2, "--metadata"),
        (
            "healthcheck --url http://127.0.0.1:1/readyz",
            "",
            1,
            "does not answer",
        ),
        (
            "dev --listen 0.0.0.0:0 --expose",
            "",
            2,
            "--anyone-may-sign-in",
        ),
        ("nonsense", "", 2, "nonsense"),
        (
            "check-config --config /nowhere.toml",
            "",
            5,
            "/nowhere.toml",
        ),
    ] {
        let ended = site.run(line, stdin);
        assert_eq!(ended.status, status, "{line}: {}", ended.stderr);
        assert!(ended.stderr.contains(said), "{line}: {}", ended.stderr);
        assert_eq!(ended.stdout, "", "{line}");
    }
}

#[test]
fn keys_are_listed_and_rotated() {
    let site = Site::new();
    assert_eq!(site.run("key list --json", "").json()["keys"], json!([]));

    // The first call makes keys, the second rotates them, and then a rotation is under way.
    let made = site.run("key rotate --json", "").json();
    let active = made["keys"].as_array().unwrap().iter();
    let active: Vec<_> = active.filter(|key| key["state"] == "active").collect();
    assert_eq!(active.len(), 3);
    assert!(active.iter().all(|key| key["retires_at"].is_null()));

    // One algorithm at first, then the others.
    for (command, retired) in [
        ("key rotate --alg ES256 --json", vec!["ES256"]),
        ("key rotate --json", vec!["RS256", "ES256", "EdDSA"]),
    ] {
        let rotated = site.run(command, "").json();
        for key in &active {
            let keys = rotated["keys"].as_array().unwrap().iter();
            let old: Vec<_> = keys.filter(|it| it["kid"] == key["kid"]).collect();
            let is_retired = retired.contains(&key["alg"].as_str().unwrap());
            assert_eq!(old[0]["retires_at"].is_i64(), is_retired, "{old:?}");
        }
    }
    let unknown = site.run("key rotate --alg HS256", "");
    assert_eq!(unknown.status, 2);
    assert!(unknown.stderr.contains("RS256"), "{}", unknown.stderr);

    let absent = site.run("key rotate --alg PS256", "");
    assert_eq!(absent.status, 5, "{}", absent.stderr);
    assert!(
        absent.stderr.contains("keys.algorithms"),
        "{}",
        absent.stderr
    );

    let again = site.run("key rotate", "");
    assert_eq!(again.status, 4);
    assert!(again.stderr.contains("under way"), "{}", again.stderr);
}

#[test]
fn the_schema_and_the_configuration_are_shown() {
    let site = Site::new();
    let migrated = site.run("migrate --json", "").json();
    assert_eq!(migrated["before"], Value::Null);
    assert!(migrated["after"].as_i64().unwrap() >= 1);
    let again = site.run("migrate", "").stdout;
    assert!(again.contains("up to date"), "{again}");

    let checked = site.run("check-config --json", "").json();
    assert_eq!(
        checked["settings"][0]["value"],
        "\"https://login.example.com\""
    );
    assert_eq!(checked["settings"][0]["source"], "KEYFOB_ISSUER");
    assert_eq!(checked["relaxations"], json!([]));
}

const MASTER_KEY: &str = "q83vASNFZ4mrze8BI0VniavN7wEjRWeJCQgHBgUEAwI=";

#[test]
fn tokens_for_registration_are_made_listed_and_ended() {
    let site = Site::new();
    let line = "client registration-token add --uses 20 --valid-for 7d --note CI --json";
    let made = site.run(line, "").json();
    let token = made["token"].as_str().unwrap();
    assert!(token.starts_with("kfj_"), "{made}");
    assert_eq!(made["uses_left"], 20);
    let span = made["expires_at"].as_i64().unwrap() - made["created_at"].as_i64().unwrap();
    assert_eq!(span, 7 * 24 * 60 * 60);
    let once = site.run("client registration-token add", "").stdout;
    assert!(once.contains("The token is not shown again"), "{once}");

    let listed = site.run("client registration-token list --json", "");
    assert_eq!(
        listed.json()["registration_tokens"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    assert!(!listed.stdout.contains("kfj_"), "{}", listed.stdout);
    let shown = site.run("client registration-token list", "").stdout;
    assert!(shown.contains("CI") && shown.contains("20"), "{shown}");

    let id = made["id"].as_str().unwrap();
    let revoke = format!("client registration-token revoke {id}");
    assert_eq!(site.run(&revoke, "").status, 0);
    assert_eq!(site.run(&revoke, "").status, 3);
    for wrong in [
        "client registration-token add --uses 0",
        "client registration-token add --valid-for 366d",
        "client registration-token add --valid-for soon",
        "client registration-token revoke x",
    ] {
        assert_eq!(site.run(wrong, "").status, 2, "{wrong}");
    }
}
