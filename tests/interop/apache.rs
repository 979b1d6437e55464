//! Apache with mod_auth_openidc, in front of an application that knows nothing of OpenID Connect.

use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::time::Duration;

use serde_json::json;
use tempfile::TempDir;
use url::Url;

use crate::support::browser::{Browser, Page};
use crate::support::launch::{Launch, free_port, wait_until_bound};
use crate::support::peer::{Peer, write_json};
use crate::support::process::Server;
use crate::support::requirement::Requirement;

#[tokio::test]
async fn an_application_behind_apache_learns_who_somebody_is_and_is_told_when_they_sign_out() {
    let Some(modules) = Requirement::Interop.require(modules()) else {
        return;
    };
    let site = Site::start(&modules);
    let mut browser = site.browser();

    site.sign_in(&mut browser).await;
    let headers = site.last_request();
    for line in [
        "GET /private/page ",
        "\r\nOIDC_CLAIM_email: alice@example.com\r\n",
        "\r\nOIDC_CLAIM_email_verified: 1\r\n",
        "\r\nOIDC_CLAIM_preferred_username: alice\r\n",
    ] {
        assert!(headers.contains(line), "{line} is not in {headers}");
    }
    let claims = format!("\r\nOIDC_CLAIM_iss: {}\r\n", site.server.issuer());
    assert!(headers.contains(&claims), "{headers}");

    let token = access_token(&headers);
    let again = site.url("/private/again");
    let refresh = [("refresh", again.as_str()), ("access_token", &token)];
    let page = site.hook(&mut browser, &refresh).await;
    assert_eq!(page.url, again);
    let refreshed = site.last_request();
    assert_ne!(access_token(&refreshed), token, "refreshed");

    let bye = site.url("/bye");
    let page = site.hook(&mut browser, &[("logout", bye.as_str())]).await;
    assert_eq!(page.url, bye);
    site.expect_signed_out(&mut browser).await;

    // Back-Channel Logout 1.0: signed out at the provider, told to Apache.
    site.sign_in(&mut browser).await;
    let logout = site.server.url("/oauth2/logout");
    let page = browser.open(&logout).await.page();
    let form = page.form("logout-confirm").press("logout-confirm");
    browser.submit(&page, &form).await.page();
    site.wait_until_told().await;
    site.expect_signed_out(&mut browser).await;
}

/// Apache, what is behind it, and Keyfob.
struct Site {
    server: Server,
    application: Peer,
    apache: Apache,
}

/// A running Apache; it ends when dropped.
struct Apache {
    port: u16,
    child: Child,
    _directory: TempDir,
}

impl Site {
    fn start(modules: &Path) -> Self {
        let port = free_port();
        let server = Launch::serve()
            .variable("KEYFOB_OUTBOUND__ALLOW", &format!("localhost:{port}"))
            .start();
        let callback = format!("http://localhost:{port}/private/callback");
        server.add_client(&json!({
            "client_id": CLIENT_ID,
            "client_secret": SECRET,
            "redirect_uris": [callback],
            "post_logout_redirect_uris": [format!("http://localhost:{port}/bye")],
            "backchannel_logout_uri": format!("{callback}?logout=backchannel"),
            "backchannel_logout_session_required": true,
        }));
        let application = Peer::http(|_, stream| write_json(stream, "", "{}"));
        let apache = Apache::start(port, modules, &server, &application);
        Self {
            server,
            application,
            apache,
        }
    }

    /// A browser that opens pages of Apache and of Keyfob.
    fn browser(&self) -> Browser {
        Browser::new(self.server.issuer()).also_at(&self.url("/"))
    }

    fn url(&self, path: &str) -> Url {
        let url = format!("http://localhost:{}{path}", self.apache.port);
        url.parse().expect("a URL of Apache")
    }

    /// Opens a private page, and signs alice in on the way.
    async fn sign_in(&self, browser: &mut Browser) {
        let page = browser.open_login(&self.url("/private/page")).await;
        let alice = self.server.user("alice");
        let arrival = browser.log_in(&page, &alice.username, &alice.password);
        let page = arrival.await.page();
        let form = page.form("consent-allow").press("consent-allow");
        let page = browser.submit(&page, &form).await.page();
        assert_eq!(page.url, self.url("/private/page"), "{}", page.describe());
        assert_eq!(page.status, 200);
    }

    /// Asks the module itself for something.
    async fn hook(&self, browser: &mut Browser, parameters: &[(&str, &str)]) -> Page {
        let mut url = self.url("/private/callback");
        url.query_pairs_mut().extend_pairs(parameters);
        browser.open(&url).await.page()
    }

    async fn expect_signed_out(&self, browser: &mut Browser) {
        let came = self.application.requests().len();
        browser.open_login(&self.url("/private/page")).await;
        assert_eq!(self.application.requests().len(), came);
    }

    /// Waits until Apache has taken both logout tokens: one each session.
    async fn wait_until_told(&self) {
        for _ in 0..600 {
            let shown = self
                .server
                .operate(&["client", "logouts", CLIENT_ID, "--json"], "");
            let logouts = shown["logouts"].as_array().expect("a list");
            if logouts.len() == 2 && logouts.iter().all(|it| it["last_status"] == "200") {
                return;
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
        panic!("Apache was not told");
    }

    fn last_request(&self) -> String {
        let requests = self.application.requests();
        requests.last().expect("a request").clone()
    }
}

impl Apache {
    fn start(port: u16, modules: &Path, server: &Server, application: &Peer) -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let configuration = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/interop/apache.conf");
        let mut child = Command::new(PROGRAM)
            // One process, which ends when it is told.
            .args(["-X", "-f", configuration])
            .env("APACHE_MODULES", modules)
            .env("APP_DIRECTORY", directory.path())
            .env("APP_PORT", port.to_string())
            .env("BACKEND_PORT", application.port().to_string())
            .env("OIDC_ISSUER", server.issuer())
            .env("OIDC_CLIENT_ID", CLIENT_ID)
            .env("OIDC_CLIENT_SECRET", SECRET)
            .stdin(Stdio::null())
            .spawn()
            .expect("Apache to start");
        wait_until_bound(&mut child, directory.path(), port);
        Self {
            port,
            child,
            _directory: directory,
        }
    }
}

impl Drop for Apache {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// Where the modules of Apache are, if mod_auth_openidc is one of them.
fn modules() -> Result<std::path::PathBuf, String> {
    let modules = Path::new("/usr/lib/apache2/modules");
    for file in [Path::new(PROGRAM), &modules.join("mod_auth_openidc.so")] {
        if !file.exists() {
            return Err(format!("there is no {}", file.display()));
        }
    }
    Ok(modules.to_owned())
}

/// The access token that the module told the application.
fn access_token(request: &str) -> String {
    let mut lines = request.lines();
    let token = lines.find_map(|line| line.strip_prefix("OIDC_access_token: "));
    token.expect("an access token").to_owned()
}

const PROGRAM: &str = "/usr/sbin/apache2";
const CLIENT_ID: &str = "apache";
const SECRET: &str = "kfs_a-secret-of-apache-that-nobody-else-uses-0123456";
