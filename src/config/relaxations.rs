//! The settings that weaken security, in words.

use super::Config;
use super::value::span;
use crate::oidc::policy::{MetadataDocumentPolicy, RegistrationMode};

impl Config {
    /// Each setting that weakens security, as a sentence that says what it gives up.
    #[must_use]
    pub fn relaxations(&self) -> Vec<String> {
        let mut found = Vec::new();
        let issuer = &self.issuer;
        if !issuer.is_https() && !issuer.is_loopback() {
            found.push(format!(
                "allow_insecure_issuer: {issuer} is http; passwords, cookies and tokens travel in \
                 the clear, and any network between can take them"
            ));
        }
        if self.tls.is_none() && !self.listen.ip().is_loopback() {
            found.push(format!(
                "listen = \"{}\" without [tls]: whoever is between the proxy and Keyfob reads \
                 passwords and tokens; let only the proxy reach this port",
                self.listen
            ));
        }
        for network in self
            .trusted_proxies
            .iter()
            .filter(|it| it.prefix_len() == 0)
        {
            found.push(format!(
                "trusted_proxies has {network}: every caller can claim any address, so the limits \
                 on guessing passwords by address mean nothing"
            ));
        }
        for authority in &self.policy.outbound.allow {
            found.push(format!(
                "outbound.allow has {authority}: whoever may name a URI to Keyfob can have it send \
                 requests there, into a private network too"
            ));
        }
        self.database_relaxations(&mut found);
        self.policy_relaxations(&mut found);
        if self.log.level.is_chatty() {
            found.push(
                "log.level is finer than \"info\" for every library: their lines may have in them \
                 what passes through, secrets included"
                    .to_owned(),
            );
        }
        found
    }

    fn database_relaxations(&self, found: &mut Vec<String>) {
        let url = &self.database.url;
        if url.is_in_memory() {
            found.push(format!(
                "database.url = \"{url}\": users, clients, sessions and keys end with the process"
            ));
        }
        if url.may_be_in_the_clear() {
            found.push(
                "database.url has no sslmode=verify-full (or require): what goes to the database \
                 may go over the network in the clear"
                    .to_owned(),
            );
        }
    }

    fn policy_relaxations(&self, found: &mut Vec<String>) {
        let policy = &self.policy;
        let passwords = &policy.passwords;
        let is_enough = |(memory_kib, iterations): &(u32, u32)| {
            passwords.memory_kib >= *memory_kib && passwords.iterations >= *iterations
        };
        if !OWASP_ARGON2ID.iter().any(is_enough) {
            found.push(format!(
                "passwords.memory_kib = {} with passwords.iterations = {}: below each of OWASP's \
                 parameters for argon2id; stolen hashes are guessed faster",
                passwords.memory_kib, passwords.iterations
            ));
        }
        let throttle = &policy.throttle;
        for (key, failures) in [
            ("account_failures", throttle.account_failures),
            ("known_browser_failures", throttle.known_browser_failures),
        ] {
            if failures > MOST_FAILURES {
                found.push(format!(
                    "throttle.{key} = {failures} in {}: NIST SP 800-63B allows {MOST_FAILURES} \
                     wrong passwords in a row",
                    span(throttle.window)
                ));
            }
        }
        if policy.unsigned_request_objects {
            found.push(
                "unsigned_request_objects: a request object says who made it and proves nothing; \
                 what is in it may be anybody's"
                    .to_owned(),
            );
        }
        self.registration_relaxations(found);
        if policy.key_rotation.interval.is_none() {
            found.push(
                "keys.rotation_interval = \"off\": signing keys live until somebody runs \
                 `keyfob key rotate`"
                    .to_owned(),
            );
        }
    }

    fn registration_relaxations(&self, found: &mut Vec<String>) {
        let registration = &self.policy.registration;
        if registration.mode == RegistrationMode::Open {
            found.push(
                "registration.mode = \"open\": anybody can register an application and ask the \
                 people here for access to their accounts; they decide by its name and address"
                    .to_owned(),
            );
        }
        if registration.metadata_documents == MetadataDocumentPolicy::Anywhere {
            found.push(
                "registration.client_id_metadata_documents without metadata_document_hosts: anybody \
                 can describe an application and ask the people here for access to their accounts; \
                 they decide by its name and address"
                    .to_owned(),
            );
        }
        if registration.offers_implicit() {
            found.push(
                "registration.allow_implicit: applications that register themselves may get access \
                 tokens through the browser, where its history, extensions and scripts can read \
                 them (RFC 9700 section 2.1.2)"
                    .to_owned(),
            );
        }
    }
}

/// Memory in KiB and passes that are equally hard, from OWASP's password storage cheat sheet.
const OWASP_ARGON2ID: &[(u32, u32)] = &[
    (47_104, 1),
    (19_456, 2),
    (12_288, 3),
    (9_216, 4),
    (7_168, 5),
];

/// NIST SP 800-63B section 5.2.2.
const MOST_FAILURES: u32 = 100;
