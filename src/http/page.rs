//! Sending pages: the headers that protect them, and the errors that people see.

use actix_web::http::{StatusCode, header};
use actix_web::{HttpMessage as _, HttpRequest, HttpResponse};
use askama::Template;

use super::pages::Layout;
use super::pages::error::{ErrorKind, ErrorPage};
use super::pages::redirect_uris::RedirectUris;
use super::site::Site;
use super::trace::RequestId;

/// What is particular to one response.
#[derive(Debug)]
pub struct Frame {
    nonce: String,
    request_id: String,
    /// Where else images may come from.
    images: Option<String>,
}

impl Frame {
    /// The frame of the answer to `request`.
    #[must_use]
    pub fn new(site: &Site, request: &HttpRequest) -> Self {
        let extensions = request.extensions();
        let request_id = extensions.get::<RequestId>();
        Self {
            nonce: site.provider.nonce(),
            request_id: request_id.map_or_else(String::new, ToString::to_string),
            images: None,
        }
    }

    /// The same with images of this origin, for the logo of a client.
    #[must_use]
    pub fn showing(self, origin: Option<String>) -> Self {
        Self {
            images: origin,
            ..self
        }
    }

    /// What every template starts from.
    #[must_use]
    pub fn layout<'a>(&'a self, site: &'a Site) -> Layout<'a> {
        Layout {
            base: site.base(),
            brand: &site.brand,
            nonce: &self.nonce,
            request_id: &self.request_id,
        }
    }

    /// Sends a page.
    #[must_use]
    pub fn send(&self, status: StatusCode, page: &impl Template) -> HttpResponse {
        self.send_framing(status, page, &[])
    }

    /// Sends a page that may frame pages of these origins.
    #[must_use]
    pub fn send_framing(
        &self,
        status: StatusCode,
        page: &impl Template,
        origins: &[&str],
    ) -> HttpResponse {
        let html = match page.render() {
            Ok(html) => html,
            Err(error) => {
                tracing::error!(cause = %error, "a page could not be written");
                return HttpResponse::InternalServerError().finish();
            }
        };
        // No form-action: browsers apply it to the redirects after a form post, too, and those
        // lead to the client.
        let mut policy = format!(
            "default-src 'none'; style-src 'self' 'nonce-{nonce}'; script-src 'nonce-{nonce}'; \
             img-src 'self'{images}; connect-src 'self'; base-uri 'none'; frame-ancestors 'none'",
            nonce = self.nonce,
            images = self
                .images
                .as_ref()
                .map_or_else(String::new, |origin| format!(" {origin}")),
        );
        if !origins.is_empty() {
            policy.push_str("; frame-src ");
            policy.push_str(&origins.join(" "));
        }
        HttpResponse::build(status)
            .content_type("text/html; charset=utf-8")
            .insert_header((header::CONTENT_SECURITY_POLICY, policy))
            .insert_header((header::X_FRAME_OPTIONS, "DENY"))
            .insert_header((header::REFERRER_POLICY, "no-referrer"))
            .insert_header((header::CACHE_CONTROL, "no-store"))
            .body(html)
    }
}

/// Sends an error page.
#[must_use]
pub fn error(site: &Site, request: &HttpRequest, kind: ErrorKind) -> HttpResponse {
    error_with(site, request, kind, None)
}

/// Sends an error page that compares redirect URIs.
#[must_use]
pub fn error_with(
    site: &Site,
    request: &HttpRequest,
    kind: ErrorKind,
    redirect_uris: Option<RedirectUris<'_>>,
) -> HttpResponse {
    let frame = Frame::new(site, request);
    let status = StatusCode::from_u16(kind.status()).unwrap_or(StatusCode::BAD_REQUEST);
    let mut response = frame.send(
        status,
        &ErrorPage {
            layout: frame.layout(site),
            kind,
            redirect_uris,
        },
    );
    if kind == ErrorKind::Unavailable {
        let headers = response.headers_mut();
        headers.insert(header::RETRY_AFTER, header::HeaderValue::from_static("1"));
    }
    response
}

/// Sends the browser elsewhere, by GET whatever it came by ([RFC 9700 section 4.12]).
///
/// [RFC 9700 section 4.12]: https://www.rfc-editor.org/rfc/rfc9700#section-4.12
#[must_use]
pub fn redirect(url: &str) -> HttpResponse {
    HttpResponse::SeeOther()
        .insert_header((header::LOCATION, url))
        .insert_header((header::CACHE_CONTROL, "no-store"))
        .insert_header((header::REFERRER_POLICY, "no-referrer"))
        .finish()
}

/// The host that a URI names, for people to recognise; the URI itself if it names none.
#[must_use]
pub fn host(uri: &str) -> String {
    let parsed = url::Url::parse(uri).ok();
    let host = parsed.and_then(|url| url.host_str().map(str::to_owned));
    host.unwrap_or_else(|| uri.to_owned())
}
