//! Secrets are private, and never shown.

use std::path::Path;

use super::support::{Files, MASTER_KEY, good, load, mistakes};

#[test]
fn a_secret_can_be_in_a_file_of_its_own() {
    let files = Files::new("issuer = \"https://login.example.com\"\n");
    let key = files.write("key", format!("{MASTER_KEY}\n"), 0o640);
    let url = files.write("url", "postgres://keyfob:hunter2@localhost/keyfob\n", 0o400);

    let config = files
        .load(&[
            ("KEYFOB_MASTER_KEY_FILE", key.to_str().unwrap()),
            ("KEYFOB_DATABASE__URL_FILE", url.to_str().unwrap()),
        ])
        .unwrap();

    assert_eq!(config.master_key.expose()[0], 0xab);
    assert_eq!(
        config.database.url.expose(),
        "postgres://keyfob:hunter2@localhost/keyfob"
    );
    assert!(
        config
            .effective()
            .contains("named by KEYFOB_DATABASE__URL_FILE")
    );
}

#[test]
fn a_secret_that_others_can_read_or_that_is_given_twice_is_refused() {
    let files = Files::new("issuer = \"https://login.example.com\"\n");
    let open = files.write("open", MASTER_KEY, 0o644);
    let private = files.write("private", MASTER_KEY, 0o600);
    let file = "KEYFOB_MASTER_KEY_FILE";
    for (environment, key, fix) in [
        (
            vec![(file, open.to_str().unwrap())],
            "master_key_file",
            "chmod 600",
        ),
        (vec![(file, "/nowhere")], "master_key_file", "exists"),
        (
            vec![
                (file, private.to_str().unwrap()),
                ("KEYFOB_MASTER_KEY", MASTER_KEY),
            ],
            "master_key",
            "keep one",
        ),
        (vec![], "master_key", "openssl rand"),
        (
            vec![("KEYFOB_MASTER_KEY", "changeme")],
            "master_key",
            "openssl rand",
        ),
        (
            vec![(
                "KEYFOB_MASTER_KEY",
                "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
            )],
            "master_key",
            "openssl rand",
        ),
    ] {
        let mistakes = files.load(&environment).unwrap_err();
        assert_eq!(mistakes.len(), 1, "{environment:?}: {mistakes:#?}");
        assert_eq!(mistakes[0].key, key, "{environment:?}");
        assert!(
            mistakes[0].fix.contains(fix),
            "{environment:?}: {}",
            mistakes[0].fix
        );
    }

    let files = Files::new("");
    let open = files.write("open.toml", good(""), 0o644);
    let mistakes = load(&open, &[]).unwrap_err();
    assert_eq!(mistakes[0].key, "master_key");
    assert!(mistakes[0].fix.contains("chmod 600"));
}

#[test]
fn a_certificate_and_its_key_are_read_and_matched() {
    let files = Files::new("");
    let certificate = files.write("tls.pem", CERTIFICATE, 0o644);
    let key = files.write("tls.key", PRIVATE_KEY, 0o600);
    let open = files.write("open.key", PRIVATE_KEY, 0o644);
    let other = files.write("other.key", OTHER_PRIVATE_KEY, 0o600);
    let tls = |certificate: &Path, key: &Path| {
        let (certificate, key) = (certificate.display(), key.display());
        good(&format!(
            "listen = \"0.0.0.0:443\"\n[tls]\ncertificate = \"{certificate}\"\nprivate_key = \"{key}\""
        ))
    };

    let config = Files::new(&tls(&certificate, &key)).load(&[]).unwrap();
    assert_eq!(config.tls.as_ref().unwrap().certificate, certificate);
    assert_eq!(config.relaxations(), Vec::<String>::new());

    for (certificate, key, wrong, fix) in [
        (&certificate, &open, "tls.private_key", "chmod 600"),
        (&certificate, &other, "tls.private_key", "made for"),
        (&certificate, &certificate, "tls.private_key", "chmod 600"),
        (&key, &key, "tls.certificate", "PEM file"),
    ] {
        let mistakes = mistakes(&tls(certificate, key));
        assert_eq!(mistakes.len(), 1, "{mistakes:#?}");
        assert_eq!(mistakes[0].key, wrong);
        assert!(mistakes[0].fix.contains(fix), "{}", mistakes[0].fix);
    }
}

#[test]
fn no_secret_is_ever_shown() {
    let password = "hunter2";
    let url = format!("postgres://keyfob:{password}@db/keyfob?password={password}");
    let files = Files::new(&good(&format!("[database]\nurl = \"{url}\"")));
    let config = files.load(&[]).unwrap();
    for shown in [
        config.effective(),
        format!("{config:?}"),
        config.relaxations().join("\n"),
    ] {
        assert!(
            !shown.contains(password) && !shown.contains(MASTER_KEY),
            "{shown}"
        );
    }

    for toml in [
        good(&format!("[database]\nurl = [\"{url}\"]")),
        good(&format!("[database]\nurl = \"mysql://{password}\"")),
        good(&format!(
            "[database]\nurl = \"postgres://keyfob:{password}@db:x/y\""
        )),
        good(&format!("[database]\nurll = \"{url}\"")),
        good(&format!("database_url = \"{url}\"")),
        good(&format!("[database]\nurl = \"{url}")),
        format!("issuer = \"https://x.example\"\nmaster_kay = \"{password}\""),
        format!("issuer = \"https://x.example\"\nmaster_key = \"{password}\""),
    ] {
        let report = format!("{:#?}", mistakes(&toml));
        assert!(!report.contains(password), "{report}");
    }
}

/// Self-signed for login.example.com, with [`PRIVATE_KEY`].
const CERTIFICATE: &str = "\
-----BEGIN CERTIFICATE-----
MIIBrTCCAVOgAwIBAgIULRDACy3IEj5n0f7OcPoE/ZUKCcwwCgYIKoZIzj0EAwIw
HDEaMBgGA1UEAwwRbG9naW4uZXhhbXBsZS5jb20wIBcNMjYxMTIyMjMzNDM3WhgP
MjEyNjEwMjkyMzM0MzdaMBwxGjAYBgNVBAMMEWxvZ2luLmV4YW1wbGUuY29tMFkw
EwYHKoZIzj0CAQYIKoZIzj0DAQcDQgAEwnmXIJCEQ9E+t4zzqEtSVuH6Z393HryX
nSZ4AUBz2xZsdGczxyYeT0vJ/3MTYbm4svtkE0zXPih+m6mSuY4rS6NxMG8wHQYD
VR0OBBYEFKz0CaSxORx2z3OuXudIhXmgD2S+MB8GA1UdIwQYMBaAFKz0CaSxORx2
z3OuXudIhXmgD2S+MA8GA1UdEwEB/wQFMAMBAf8wHAYDVR0RBBUwE4IRbG9naW4u
ZXhhbXBsZS5jb20wCgYIKoZIzj0EAwIDSAAwRQIhANF9v4ViC74H+OtKQT0qx9Qb
t6b/epWQDcGWKA2cY1PqAiB75qFayCnRjJarJ5VIDEqLWqwNiJvePKlnuNKaoc/5
PQ==
-----END CERTIFICATE-----
";

const PRIVATE_KEY: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQg7hbjBZzXxNZKMAUp
CP+aO6uHuX/t2EtgWw3PLX6kAEqhRANCAATCeZcgkIRD0T63jPOoS1JW4fpnf3ce
vJedJngBQHPbFmx0ZzPHJh5PS8n/cxNhubiy+2QTTNc+KH6bqZK5jitL
-----END PRIVATE KEY-----
";

const OTHER_PRIVATE_KEY: &str = "\
-----BEGIN PRIVATE KEY-----
MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgRaVJZ+AFkJ6WdBc3
gFoUX700PHt5QRpHlXFe5gAlkYmhRANCAAQvOq1uIxADkM+1RP5WaqFxbOt79hYA
SAiwDn4sNH/x5UnngRCqoiFHvzI665pKPJRWsjbpK1B/2KcI0nFZYFTe
-----END PRIVATE KEY-----
";
