//! The embedded assets of `static/`, served under names that carry the hash of their content.
//!
//! The name changes with the content, so a browser may keep what it fetched for ever.

use std::borrow::Cow;
use std::sync::LazyLock;

use actix_web::http::header;
use actix_web::web::Path;
use actix_web::{HttpResponse, Responder};
use rust_embed::Embed;

/// One asset, ready to be served.
#[derive(Debug)]
pub struct Asset {
    /// The file's name in `static/`.
    pub name: String,
    /// The name it is served under: `keyfob.0a1b2c3d.css`.
    pub hashed_name: String,
    /// Its media type.
    pub content_type: &'static str,
    /// Its entity tag, quotes included.
    pub etag: String,
    /// Its content.
    pub bytes: Cow<'static, [u8]>,
}

/// The URL path, below the issuer's, of the asset that is called `name` in `static/`.
///
/// A name that no asset has gets its plain path, which answers 404.
#[must_use]
pub fn path(name: &str) -> String {
    let asset = ASSETS.iter().find(|asset| asset.name == name);
    let name = asset.map_or(name, |asset| &asset.hashed_name);
    format!("/static/{name}")
}

/// The asset that is served as `hashed_name`.
#[must_use]
pub fn find(hashed_name: &str) -> Option<&'static Asset> {
    ASSETS.iter().find(|asset| asset.hashed_name == hashed_name)
}

/// Answers `GET /static/{name}`.
pub async fn asset(name: Path<String>) -> impl Responder {
    let Some(asset) = find(&name) else {
        return HttpResponse::NotFound().finish();
    };
    let bytes: &'static [u8] = &asset.bytes;
    HttpResponse::Ok()
        .content_type(asset.content_type)
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .insert_header((header::ETAG, asset.etag.as_str()))
        .insert_header((header::X_CONTENT_TYPE_OPTIONS, "nosniff"))
        .body(bytes)
}

#[derive(Embed)]
#[folder = "static/"]
struct Embedded;

/// Built once, when the first page is rendered: the content is the program's own and never
/// changes, so this is a constant that the compiler cannot compute, not state.
static ASSETS: LazyLock<Vec<Asset>> = LazyLock::new(|| {
    let names = Embedded::iter();
    names.filter_map(|name| load(&name)).collect()
});

fn load(name: &str) -> Option<Asset> {
    let file = Embedded::get(name)?;
    let (stem, extension) = name.rsplit_once('.')?;
    let content_type = match extension {
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "png" => "image/png",
        _ => "application/octet-stream",
    };
    let digest = file.metadata.sha256_hash();
    let [a, b, c, d, ..] = digest;
    let hash = format!("{a:02x}{b:02x}{c:02x}{d:02x}");
    Some(Asset {
        hashed_name: format!("{stem}.{hash}.{extension}"),
        name: name.to_owned(),
        content_type,
        etag: format!("\"{hash}\""),
        bytes: file.data,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_asset_is_found_under_the_path_that_pages_name() {
        for name in ["keyfob.css", "keyfob.js", "keyfob.svg"] {
            let path = path(name);
            let hashed = path.strip_prefix("/static/").unwrap();
            let asset = find(hashed).unwrap();
            assert_eq!(asset.name, name);
            assert_ne!(asset.hashed_name, name);
            assert!(!asset.bytes.is_empty());
        }
    }

    #[test]
    fn the_hash_stands_between_stem_and_extension() {
        let path = path("keyfob.css");
        let hash = path
            .strip_prefix("/static/keyfob.")
            .and_then(|rest| rest.strip_suffix(".css"))
            .unwrap();
        assert_eq!(hash.len(), 8);
        assert!(hash.bytes().all(|byte| byte.is_ascii_hexdigit()));
    }

    #[test]
    fn a_name_without_its_hash_or_with_a_wrong_one_is_not_found() {
        for name in ["keyfob.css", "keyfob.00000000.css", "", "../Cargo.toml"] {
            assert!(find(name).is_none(), "{name}");
        }
    }

    #[actix_web::test]
    async fn an_asset_may_be_kept_for_ever_and_an_unknown_one_is_missing() {
        use actix_web::{App, test, web};

        let app = App::new().route("/static/{name}", web::get().to(asset));
        let app = test::init_service(app).await;
        let request = test::TestRequest::get().uri(&path("keyfob.css"));
        let response = test::call_service(&app, request.to_request()).await;
        assert_eq!(response.status(), 200);
        assert_eq!(
            response.headers().get("cache-control").unwrap(),
            "public, max-age=31536000, immutable"
        );
        assert_eq!(
            response.headers().get("content-type").unwrap(),
            "text/css; charset=utf-8"
        );

        let request = test::TestRequest::get().uri("/static/keyfob.css");
        let response = test::call_service(&app, request.to_request()).await;
        assert_eq!(response.status(), 404);
    }
}
