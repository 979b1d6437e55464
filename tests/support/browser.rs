//! A browser without a screen: it keeps cookies, follows redirects, fills in forms and presses
//! buttons, and sends the headers that a real one sends. It runs no scripts.

use reqwest::header::{
    ACCEPT, CONTENT_TYPE, COOKIE, HeaderMap, HeaderValue, LOCATION, ORIGIN, SET_COOKIE,
};
use reqwest::{Method, StatusCode};
use url::Url;

use super::html::{Document, Form};

/// A browser of its own: no two share cookies.
#[derive(Clone)]
pub(crate) struct Browser {
    http: reqwest::Client,
    /// What it holds, for tests that look or steal.
    pub(crate) cookies: Vec<Cookie>,
    /// The origins whose pages it opens. What leads elsewhere is where a journey ends.
    homes: Vec<url::Origin>,
}

/// A cookie as it was set.
#[derive(Clone, Debug, Eq, PartialEq)]
pub(crate) struct Cookie {
    pub(crate) host: String,
    pub(crate) path: String,
    pub(crate) name: String,
    pub(crate) value: String,
    /// Its attributes as they were sent, in lower case: `secure`, `samesite=lax` …
    pub(crate) attributes: Vec<String>,
}

/// A response of the server.
#[derive(Clone, Debug)]
pub(crate) struct Page {
    pub(crate) url: Url,
    pub(crate) status: StatusCode,
    pub(crate) headers: HeaderMap,
    pub(crate) body: String,
}

/// Where a journey ended.
#[derive(Clone, Debug)]
pub(crate) enum Arrival {
    /// On a page of the server.
    Page(Page),
    /// At a relying party, with what the browser brought there.
    Away(Away),
}

/// What a browser brings to a relying party.
#[derive(Clone, Debug)]
pub(crate) struct Away {
    /// The URL in full.
    pub(crate) url: Url,
    /// The fields of a form that was posted there; empty after a redirect.
    pub(crate) form: Vec<(String, String)>,
    /// The status of the redirect; 200 for a form.
    pub(crate) status: StatusCode,
}

impl Away {
    /// A parameter of the authorization response, wherever it stands.
    pub(crate) fn parameter(&self, name: &str) -> Option<String> {
        let in_fragment = self.url.fragment().unwrap_or_default().as_bytes();
        let mut all = self
            .url
            .query_pairs()
            .into_owned()
            .chain(url::form_urlencoded::parse(in_fragment).into_owned())
            .chain(self.form.iter().cloned());
        all.find(|(own, _)| own == name).map(|(_, value)| value)
    }

    /// The authorization code.
    ///
    /// # Panics
    /// If there is none.
    pub(crate) fn code(&self) -> String {
        self.parameter("code")
            .unwrap_or_else(|| panic!("no code in {}", self.url))
    }

    /// The error, empty if there is none.
    pub(crate) fn error(&self) -> String {
        self.parameter("error").unwrap_or_default()
    }
}

impl Arrival {
    /// The page.
    ///
    /// # Panics
    /// If the browser was sent away.
    pub(crate) fn page(self) -> Page {
        match self {
            Self::Page(page) => page,
            Self::Away(away) => panic!("expected a page, was sent to {}", away.url),
        }
    }

    /// What was brought to the relying party.
    ///
    /// # Panics
    /// If it ended on a page.
    pub(crate) fn away(self) -> Away {
        match self {
            Self::Away(away) => away,
            Self::Page(page) => panic!("expected to be sent away, got {}", page.describe()),
        }
    }
}

impl Page {
    /// Its content.
    pub(crate) fn document(&self) -> Document {
        Document::parse(&self.body)
    }

    /// A header, empty if it is missing.
    pub(crate) fn header(&self, name: &str) -> &str {
        let value = self.headers.get(name);
        value
            .and_then(|value| value.to_str().ok())
            .unwrap_or_default()
    }

    /// The form that the button of that id submits.
    ///
    /// # Panics
    /// If there is none.
    pub(crate) fn form(&self, button: &str) -> Form {
        let form = self.document().form_with_button(button).cloned();
        form.unwrap_or_else(|| panic!("no button {button} on {}", self.describe()))
    }

    /// Whether it is a refusal to the person: 4xx, HTML, leading nowhere.
    pub(crate) fn is_refusal(&self) -> bool {
        self.status.is_client_error()
            && self.header("content-type").starts_with("text/html")
            && !self.headers.contains_key(LOCATION)
    }

    /// Status, address and text, for a failed assertion.
    pub(crate) fn describe(&self) -> String {
        let text = self.document().text;
        let words: Vec<_> = text.split_whitespace().take(80).collect();
        format!(
            "{} {} {}: {}",
            self.status,
            self.url,
            self.header("location"),
            words.join(" ")
        )
    }
}

impl Browser {
    /// A browser that opens pages of the server at `home`, any URL of it.
    pub(crate) fn new(home: &str) -> Self {
        let http = reqwest::Client::builder()
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            // A connection for each request: behind a balancer each may reach another replica.
            .pool_max_idle_per_host(0)
            .build()
            .expect("an HTTP client");
        let home: Url = home.parse().expect("a URL");
        Self {
            http,
            cookies: Vec::new(),
            homes: vec![home.origin()],
        }
    }

    /// One that opens pages of the server at `home`, too.
    pub(crate) fn also_at(mut self, home: &Url) -> Self {
        self.homes.push(home.origin());
        self
    }

    /// One GET, without following where it leads.
    pub(crate) async fn get(&mut self, url: &Url) -> Page {
        self.send(Method::GET, url, None, HeaderMap::new()).await
    }

    /// Goes to `url` and follows until there is a page to look at.
    pub(crate) async fn open(&mut self, url: &Url) -> Arrival {
        let page = self.get(url).await;
        self.follow(page).await
    }

    /// Submits a form of `page` and follows until there is a page to look at.
    pub(crate) async fn submit(&mut self, page: &Page, form: &Form) -> Arrival {
        let answer = self.submit_only(page, form).await;
        self.follow(answer).await
    }

    /// Submits a form of `page`, without following where that leads.
    pub(crate) async fn submit_only(&mut self, page: &Page, form: &Form) -> Page {
        let target = page.url.join(&form.action).expect("the form's action");
        let mut headers = HeaderMap::new();
        if form.is_post {
            // A page that sends no referrer sends no origin with its forms either.
            let is_private = page.header("referrer-policy") == "no-referrer";
            let origin = page.url.origin().ascii_serialization();
            let origin = if is_private { "null" } else { &origin };
            headers.insert(ORIGIN, HeaderValue::from_str(origin).expect("an origin"));
            headers.insert("sec-fetch-site", HeaderValue::from_static("same-origin"));
        }
        self.submit_with(&target, form, headers).await
    }

    /// Submits a form with these headers, for tests that forge them.
    pub(crate) async fn submit_with(
        &mut self,
        target: &Url,
        form: &Form,
        headers: HeaderMap,
    ) -> Page {
        if form.is_post {
            return self
                .send(Method::POST, target, Some(&form.fields), headers)
                .await;
        }
        let mut target = target.clone();
        target.query_pairs_mut().clear().extend_pairs(&form.fields);
        self.send(Method::GET, &target, None, headers).await
    }

    /// Follows redirects, and forms that post themselves, until there is a page to look at or the
    /// browser is sent away.
    pub(crate) async fn follow(&mut self, mut page: Page) -> Arrival {
        for _ in 0..MOST_STEPS {
            if page.status.is_redirection() {
                let target = page.url.join(page.header("location")).expect("a location");
                if !self.homes.contains(&target.origin()) {
                    let (form, status) = (Vec::new(), page.status);
                    let url = target;
                    return Arrival::Away(Away { url, form, status });
                }
                page = self.get(&target).await;
                continue;
            }
            for form in page.document().forms {
                let target = page.url.join(&form.action).expect("the form's action");
                if !self.homes.contains(&target.origin()) {
                    return Arrival::Away(Away {
                        url: target,
                        form: form.fields,
                        status: page.status,
                    });
                }
            }
            return Arrival::Page(page);
        }
        panic!("the redirects never end: {}", page.describe())
    }

    /// Follows `authorization_url` to its end as a person with this name and password who allows
    /// what is asked.
    ///
    /// # Panics
    /// If a page is not one of those that a person signing in knows.
    pub(crate) async fn sign_in(
        &mut self,
        authorization_url: &Url,
        username: &str,
        password: &str,
    ) -> Away {
        let mut arrival = self.open(authorization_url).await;
        for _ in 0..MOST_STEPS {
            let page = match arrival {
                Arrival::Away(away) => return away,
                Arrival::Page(page) => page,
            };
            let document = page.document();
            let form = if let Some(form) = document.form_with_field("password") {
                form.clone()
                    .fill("username", username)
                    .fill("password", password)
                    .press("login-submit")
            } else if let Some(form) = document.form_with_button("consent-allow") {
                form.clone().press("consent-allow")
            } else {
                panic!("a person would be lost here: {}", page.describe())
            };
            assert!(
                page.status == StatusCode::OK,
                "signing in came to {}",
                page.describe()
            );
            arrival = self.submit(&page, &form).await;
        }
        panic!("signing in never ends")
    }

    /// Opens `authorization_url` and stops at the login page.
    pub(crate) async fn open_login(&mut self, authorization_url: &Url) -> Page {
        let page = self.open(authorization_url).await.page();
        let has_password = page.document().form_with_field("password").is_some();
        assert!(has_password, "not a login page: {}", page.describe());
        page
    }

    /// Fills in and submits a login page.
    pub(crate) async fn log_in(&mut self, page: &Page, username: &str, password: &str) -> Arrival {
        let form = page
            .form("login-submit")
            .fill("username", username)
            .fill("password", password)
            .press("login-submit");
        self.submit(page, &form).await
    }

    /// The cookie whose name contains `part`.
    pub(crate) fn cookie(&self, part: &str) -> Option<&Cookie> {
        self.cookies
            .iter()
            .find(|cookie| cookie.name.contains(part))
    }

    /// Sends one request with its cookies, and keeps those of the response.
    pub(crate) async fn send(
        &mut self,
        method: Method,
        url: &Url,
        form: Option<&[(String, String)]>,
        mut headers: HeaderMap,
    ) -> Page {
        headers.entry(ACCEPT).or_insert(HeaderValue::from_static(
            "text/html,application/xhtml+xml,*/*;q=0.8",
        ));
        if let Some(cookies) = self.cookies_for(url) {
            headers.insert(COOKIE, cookies);
        }
        let mut request = self.http.request(method, url.clone()).headers(headers);
        if let Some(fields) = form {
            let body = url::form_urlencoded::Serializer::new(String::new())
                .extend_pairs(fields)
                .finish();
            request = request
                .header(CONTENT_TYPE, "application/x-www-form-urlencoded")
                .body(body);
        }
        let response = request
            .send()
            .await
            .unwrap_or_else(|error| panic!("{url}: {error:?}"));
        self.keep_cookies(url, response.headers());
        Page {
            url: url.clone(),
            status: response.status(),
            headers: response.headers().clone(),
            body: response.text().await.expect("a body"),
        }
    }

    fn cookies_for(&self, url: &Url) -> Option<HeaderValue> {
        let host = url.host_str().unwrap_or_default();
        let is_trustworthy = url.scheme() == "https" || host == "localhost";
        let pairs: Vec<_> = self
            .cookies
            .iter()
            .filter(|cookie| cookie.host == host && is_within(url.path(), &cookie.path))
            .filter(|cookie| is_trustworthy || !cookie.attributes.contains(&"secure".to_owned()))
            .map(|cookie| format!("{}={}", cookie.name, cookie.value))
            .collect();
        (!pairs.is_empty()).then(|| HeaderValue::from_str(&pairs.join("; ")).expect("cookies"))
    }

    fn keep_cookies(&mut self, url: &Url, headers: &HeaderMap) {
        for header in headers.get_all(SET_COOKIE) {
            let text = header.to_str().expect("a cookie of ASCII");
            let cookie = Cookie::parse(url, text);
            self.cookies.retain(|own| {
                (&own.name, &own.host, &own.path) != (&cookie.name, &cookie.host, &cookie.path)
            });
            if !cookie.is_removal() {
                self.cookies.push(cookie);
            }
        }
    }
}

impl Cookie {
    fn parse(url: &Url, text: &str) -> Self {
        let mut parts = text.split(';').map(str::trim);
        let (name, value) = parts
            .next()
            .and_then(|pair| pair.split_once('='))
            .unwrap_or_else(|| panic!("not a cookie: {text}"));
        let written: Vec<_> = parts.collect();
        let path = written
            .iter()
            .filter_map(|attribute| attribute.split_once('='))
            .find(|(name, _)| name.eq_ignore_ascii_case("path"));
        let attributes = written.iter().map(|a| a.to_ascii_lowercase()).collect();
        Self {
            host: url.host_str().unwrap_or_default().to_owned(),
            path: path.map_or("/", |(_, path)| path).to_owned(),
            name: name.to_owned(),
            value: value.to_owned(),
            attributes,
        }
    }

    /// Whether it has this attribute, written in lower case.
    pub(crate) fn has(&self, attribute: &str) -> bool {
        self.attributes.iter().any(|own| own == attribute)
    }

    fn is_removal(&self) -> bool {
        self.value.is_empty()
            || self.has("max-age=0")
            || self
                .attributes
                .iter()
                .any(|a| a.starts_with("expires=thu, 01 jan 1970"))
    }
}

/// RFC 6265 section 5.1.4.
fn is_within(path: &str, cookie_path: &str) -> bool {
    path == cookie_path
        || path
            .strip_prefix(cookie_path)
            .is_some_and(|rest| cookie_path.ends_with('/') || rest.starts_with('/'))
}

/// More pages and redirects than any sign-in has.
const MOST_STEPS: usize = 12;
