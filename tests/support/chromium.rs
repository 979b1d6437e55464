//! Chromium without a screen, driven as a person uses it, and judged by axe-core.

use std::future::Future;
use std::io::{BufRead as _, BufReader};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use serde_json::{Value, json};
use tempfile::TempDir;
use thirtyfour::LoggingPrefsLogLevel;
use thirtyfour::common::capabilities::chrome::ChromeCapabilities;
use thirtyfour::common::capabilities::chromium::ChromiumLikeCapabilities as _;
use thirtyfour::error::WebDriverResult;
use thirtyfour::extensions::query::ElementQueryable as _;
use thirtyfour::prelude::{By, DesiredCapabilities, WebDriver, WebElement};

use super::toolchain;

/// How a page is looked at.
#[derive(Clone, Copy, Debug)]
pub(crate) struct View {
    /// `light` or `dark`.
    pub(crate) scheme: &'static str,
    /// The width of the window in CSS pixels.
    pub(crate) width: u32,
}

impl View {
    /// Light and dark, on a phone and on a desk.
    pub(crate) const ALL: [Self; 4] = [
        Self::new("light", 1280),
        Self::new("dark", 1280),
        Self::new("light", 360),
        Self::new("dark", 360),
    ];

    const fn new(scheme: &'static str, width: u32) -> Self {
        Self { scheme, width }
    }
}

/// Chromium, its driver and axe-core, as this machine has them.
pub(crate) struct Chromium {
    browser: PathBuf,
    driver: PathBuf,
    axe: String,
}

impl Chromium {
    /// What is installed.
    ///
    /// # Errors
    /// In words, if something is missing.
    pub(crate) fn find() -> Result<Self, String> {
        let packages = toolchain::node()?;
        let axe = packages.join("node_modules/axe-core/axe.min.js");
        Ok(Self {
            browser: first(&["/usr/bin/chromium", "/usr/bin/chromium-browser"])?,
            driver: first(&["/usr/bin/chromedriver", "/usr/lib/chromium/chromedriver"])?,
            axe: std::fs::read_to_string(axe).map_err(|error| error.to_string())?,
        })
    }

    /// Runs `test` with a fresh browser, which is closed whatever becomes of the test.
    pub(crate) async fn run<F, Fut>(self, test: F)
    where
        F: FnOnce(Tab) -> Fut,
        Fut: Future<Output = WebDriverResult<()>>,
    {
        let profile = tempfile::tempdir().expect("a temporary directory");
        let driver = Driver::start(&self.driver, &profile);
        let capabilities = self.capabilities(&profile).expect("capabilities");
        let browser = WebDriver::new(&driver.url, capabilities)
            .await
            .expect("a session with the browser");
        let axe = self.axe;
        let journey = async |browser: WebDriver| {
            let outcome = test(Tab {
                browser: browser.clone(),
                axe,
            });
            let outcome = outcome.await;
            if outcome.is_err() {
                let url = browser.current_url().await?;
                let body = browser.find(By::Tag("body")).await?.text().await?;
                eprintln!("the browser was at {url}, which says:\n{body}");
            }
            outcome
        };
        browser
            .run_and_quit(journey)
            .await
            .expect("the browser did what it was told");
    }

    fn capabilities(&self, profile: &TempDir) -> WebDriverResult<ChromeCapabilities> {
        let mut capabilities = DesiredCapabilities::chrome();
        capabilities.set_binary(&self.browser.to_string_lossy())?;
        capabilities.add_arg(&format!("--user-data-dir={}", profile.path().display()))?;
        for argument in [
            "--headless=new",
            "--no-sandbox",
            "--disable-gpu",
            "--disable-dev-shm-usage",
            "--disable-quic",
            "--no-first-run",
            "--disable-background-networking",
            "--disable-component-update",
            "--disable-sync",
            "--no-proxy-server",
        ] {
            capabilities.add_arg(argument)?;
        }
        capabilities.set_browser_log_level(LoggingPrefsLogLevel::All)?;
        Ok(capabilities)
    }
}

fn first(candidates: &[&str]) -> Result<PathBuf, String> {
    let mut candidates_found = candidates.iter().map(PathBuf::from);
    candidates_found
        .find(|path| path.exists())
        .ok_or_else(|| format!("there is no {}", candidates[0]))
}

/// A running chromedriver; it ends when dropped.
struct Driver {
    url: String,
    child: Child,
}

impl Driver {
    fn start(program: &Path, home: &TempDir) -> Self {
        let mut child = Command::new(program)
            .arg("--port=0")
            // Chromium writes outside its profile, too.
            .env("HOME", home.path())
            .stdin(Stdio::null())
            .stdout(Stdio::piped())
            .stderr(Stdio::null())
            .spawn()
            .expect("chromedriver to start");
        let output = child.stdout.take().expect("its output");
        let (sender, receiver) = mpsc::channel();
        thread::spawn(move || {
            for line in BufReader::new(output).lines().map_while(Result::ok) {
                if let Some((_, port)) = line.split_once("started successfully on port ") {
                    let _ = sender.send(port.trim_end_matches('.').to_owned());
                }
            }
        });
        let port = receiver.recv_timeout(PATIENCE);
        let port = port.expect("chromedriver to say its port");
        Self {
            url: format!("http://localhost:{port}"),
            child,
        }
    }
}

impl Drop for Driver {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// The tab that a test looks at.
pub(crate) struct Tab {
    pub(crate) browser: WebDriver,
    axe: String,
}

impl Tab {
    /// Opens a URL.
    pub(crate) async fn open(&self, url: &str) -> WebDriverResult<()> {
        self.browser.goto(url).await
    }

    /// The element with that id, once it is there.
    pub(crate) async fn element(&self, id: &str) -> WebDriverResult<WebElement> {
        let query = self.browser.query(By::Id(id));
        query
            .wait(PATIENCE, Duration::from_millis(50))
            .first()
            .await
    }

    /// Waits until an element with one of those ids is there.
    pub(crate) async fn either(&self, one: &str, other: &str) -> WebDriverResult<WebElement> {
        let query = self.browser.query(By::Css(format!("#{one}, #{other}")));
        query
            .wait(PATIENCE, Duration::from_millis(50))
            .first()
            .await
    }

    /// Waits until the element with that id has another text than `before`.
    pub(crate) async fn other_text(&self, id: &str, before: &str) -> WebDriverResult<()> {
        for _ in 0..600 {
            // While one page gives way to the next, there may be no such element.
            if self.text(id).await.is_ok_and(|text| text != before) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_ne!(self.text(id).await?, before, "{id}");
        Ok(())
    }

    /// Waits until the element with that id has that text in it.
    pub(crate) async fn expect_text(&self, id: &str, text: &str) -> WebDriverResult<()> {
        for _ in 0..600 {
            // The page may be going away under our eyes.
            if self.text(id).await.is_ok_and(|shown| shown.contains(text)) {
                return Ok(());
            }
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
        assert_eq!(self.text(id).await?, text, "{id}");
        Ok(())
    }

    /// Waits until no element with that id is there.
    pub(crate) async fn gone(&self, id: &str) -> WebDriverResult<()> {
        let query = self.browser.query(By::Id(id));
        let query = query.wait(PATIENCE, Duration::from_millis(50));
        let is_gone = query.not_exists().await?;
        assert!(is_gone, "{id} is still there");
        Ok(())
    }

    /// Types into the field with that id.
    pub(crate) async fn type_into(&self, id: &str, text: &str) -> WebDriverResult<()> {
        let field = self.element(id).await?;
        field.clear().await?;
        field.send_keys(text).await
    }

    /// Clicks what has that id.
    pub(crate) async fn click(&self, id: &str) -> WebDriverResult<()> {
        self.element(id).await?.click().await
    }

    /// The text of the element with that id.
    pub(crate) async fn text(&self, id: &str) -> WebDriverResult<String> {
        self.element(id).await?.text().await
    }

    /// Whether an element with that id is on the page now.
    pub(crate) async fn has(&self, id: &str) -> WebDriverResult<bool> {
        Ok(!self.browser.find_all(By::Id(id)).await?.is_empty())
    }

    /// Looks at the page in every [`View`]: saves a picture of each below `target/tmp/`, and fails
    /// on what axe-core finds, on a page wider than its window, on anything fetched from another
    /// origin and on anything that the page's own security policy stopped.
    pub(crate) async fn judge(&self, name: &str) -> WebDriverResult<()> {
        let mut found = Vec::new();
        for view in View::ALL {
            self.look(view).await?;
            let label = format!("{name}-{}-{}", view.scheme, view.width);
            self.browser.screenshot(&picture(&label)).await?;
            let violations = self.violations().await?;
            found.extend(violations.into_iter().map(|one| format!("{label}: {one}")));
            let overflow = self.overflow(view).await?;
            if overflow > 0 {
                found.push(format!("{label}: {overflow} px wider than the window"));
            }
        }
        self.look(View::ALL[0]).await?;
        found.extend(self.foreign_resources().await?);
        for entry in self.browser.browser_log().await? {
            if entry.message.contains("Content Security Policy") {
                found.push(format!("{name}: {}", entry.message));
            }
        }
        assert!(found.is_empty(), "{}", found.join("\n"));
        Ok(())
    }

    /// Looks at the page otherwise.
    pub(crate) async fn look(&self, view: View) -> WebDriverResult<()> {
        let devtools = self.browser.cdp();
        let metrics = json!({
            "width": view.width,
            "height": 800,
            "deviceScaleFactor": 1,
            "mobile": view.width < 600,
        });
        devtools
            .send_raw("Emulation.setDeviceMetricsOverride", metrics)
            .await?;
        // Nothing may be half-way between two colours when it is measured.
        let media = json!({"features": [
            {"name": "prefers-color-scheme", "value": view.scheme},
            {"name": "prefers-reduced-motion", "value": "reduce"},
        ]});
        devtools
            .send_raw("Emulation.setEmulatedMedia", media)
            .await?;
        Ok(())
    }

    /// What axe-core finds against WCAG 2.2 AA and its best practices.
    async fn violations(&self) -> WebDriverResult<Vec<String>> {
        self.browser.execute(&*self.axe, Vec::new()).await?;
        let result = self.browser.execute_async(AXE_RUN, Vec::new()).await?;
        let violations: Vec<Value> = result.convert()?;
        Ok(violations.iter().map(ToString::to_string).collect())
    }

    /// By how many pixels the page is wider than the window. A phone's `innerWidth` would grow
    /// with the page.
    async fn overflow(&self, view: View) -> WebDriverResult<i64> {
        let script = "return document.documentElement.scrollWidth";
        let width: i64 = self.browser.execute(script, Vec::new()).await?.convert()?;
        Ok(width - i64::from(view.width))
    }

    async fn foreign_resources(&self) -> WebDriverResult<Vec<String>> {
        let script = "return performance.getEntriesByType('resource').map(it => it.name)
            .filter(it => new URL(it).origin !== location.origin)";
        self.browser.execute(script, Vec::new()).await?.convert()
    }
}

/// Where the picture of that name is kept.
fn picture(name: &str) -> PathBuf {
    let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("pictures");
    std::fs::create_dir_all(&directory).expect("a directory below target/");
    directory.join(format!("{name}.png"))
}

const AXE_RUN: &str = r"
const done = arguments[arguments.length - 1];
axe.run(document, { resultTypes: ['violations'] }).then(
    ({ violations }) => done(violations.map(({ id, help, nodes }) => ({
        id, help, nodes: nodes.map(({ html, failureSummary }) => ({ html, failureSummary })),
    }))),
    (error) => done([{ id: 'axe', help: String(error) }]),
);
";

/// How long the browser may take for one step on a busy machine.
const PATIENCE: Duration = Duration::from_secs(30);
