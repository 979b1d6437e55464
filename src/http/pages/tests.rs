//! What must hold of every page: outside strings are escaped, and the page works under the
//! Content-Security-Policy.

use std::time::Duration;

use askama::Template;

use super::about_client::AboutClient;
use super::consent::{ApiLine, ConsentPage, DetailLine, ScopeLine};
use super::device::{ConfirmDevicePage, DeviceDonePage, UserCodeAlert, UserCodePage};
use super::error::{ErrorKind, ErrorPage};
use super::error_return::ErrorReturnPage;
use super::form_post::FormPostPage;
use super::front::FrontPage;
use super::login::{LoginAlert, LoginPage};
use super::logout::{LoggedOutPage, LogoutPage};
use super::qr_code::QrCode;
use super::redirect_uris::{RedirectUriRegistration, RedirectUris};
use super::select_account::SelectAccountPage;
use super::{Brand, ClientSummary, HiddenField, Layout, UserSummary};

/// What an attacker puts into whatever he can name.
const HOSTILE: &str = r#""'><img src=x onerror=1>"#;

const CLIENT: ClientSummary<'_> = ClientSummary {
    name: HOSTILE,
    host: HOSTILE,
};
const ABOUT: AboutClient<'_> = AboutClient {
    logo_uri: Some(HOSTILE),
    client_uri: Some(HOSTILE),
    policy_uri: Some(HOSTILE),
    tos_uri: Some(HOSTILE),
    is_unchecked: true,
    document_host: Some(HOSTILE),
    is_on_own_machine: true,
};
const USER: UserSummary<'_> = UserSummary {
    name: HOSTILE,
    account: HOSTILE,
};

const FIELD: HiddenField<'_> = HiddenField {
    name: HOSTILE,
    value: HOSTILE,
};

/// Every page, with the hostile string in each place; those of the login first.
fn pages() -> Vec<String> {
    let brand = Brand {
        name: HOSTILE.to_owned(),
        logo: Some(HOSTILE.to_owned()),
        accent: "#ffcc33".parse().ok(),
    };
    let layout = Layout {
        base: "/tenant",
        brand: &brand,
        nonce: "the-nonce",
        request_id: HOSTILE,
    };
    let pages = [
        login(layout),
        interactions(layout),
        devices(layout),
        ends(layout),
        errors(layout),
    ];
    pages.concat()
}

fn login(layout: Layout<'_>) -> Vec<String> {
    let dev_users = [(HOSTILE.to_owned(), HOSTILE.to_owned())];
    let retry_after = Duration::from_secs(40);
    [
        (false, None),
        (true, Some(LoginAlert::WrongCredentials)),
        (false, Some(LoginAlert::TooManyTries { retry_after })),
        (false, Some(LoginAlert::Busy)),
        (true, Some(LoginAlert::Expired)),
    ]
    .map(|(again, alert)| LoginPage {
        layout,
        transaction: HOSTILE,
        csrf: HOSTILE,
        client: Some(CLIENT),
        about: Some(ABOUT),
        username: HOSTILE,
        again,
        alert,
        dev_users: &dev_users,
    })
    .map(|page| page.render().unwrap())
    .to_vec()
}

fn interactions(layout: Layout<'_>) -> Vec<String> {
    let consent = ConsentPage {
        layout,
        transaction: HOSTILE,
        csrf: HOSTILE,
        client: CLIENT,
        about: ABOUT,
        user: USER,
        scopes: vec![ScopeLine::of(HOSTILE)],
        apis: vec![ApiLine {
            name: Some(HOSTILE.to_owned()),
            resource: HOSTILE.to_owned(),
        }],
        details: vec![DetailLine {
            kind: HOSTILE.to_owned(),
            description: HOSTILE.to_owned(),
            members: vec![(HOSTILE.to_owned(), HOSTILE.to_owned())],
        }],
    };
    let select_account = SelectAccountPage {
        layout,
        transaction: HOSTILE,
        csrf: HOSTILE,
        client: CLIENT,
        user: USER,
    };
    let form_post = FormPostPage {
        layout,
        action: HOSTILE,
        fields: vec![FIELD],
    };
    let error_return = |fields| ErrorReturnPage {
        layout,
        client: CLIENT,
        redirect_uri: HOSTILE,
        url: HOSTILE,
        fields,
    };
    let pages = [
        consent.render(),
        select_account.render(),
        form_post.render(),
        error_return(Vec::new()).render(),
        error_return(vec![FIELD]).render(),
    ];
    pages.map(|page| page.unwrap()).to_vec()
}

fn devices(layout: Layout<'_>) -> Vec<String> {
    let retry_after = Duration::from_secs(40);
    let asking = [
        None,
        Some(UserCodeAlert::Unknown),
        Some(UserCodeAlert::TooManyTries { retry_after }),
    ]
    .map(|alert| UserCodePage {
        layout,
        csrf: HOSTILE,
        user_code: HOSTILE,
        alert,
        qr_code: QrCode::of(HOSTILE),
    });
    let confirmation = ConfirmDevicePage {
        layout,
        transaction: HOSTILE,
        csrf: HOSTILE,
        client: CLIENT,
        user: USER,
        user_code: HOSTILE,
        scopes: vec![ScopeLine::of(HOSTILE)],
        apis: vec![ApiLine {
            name: Some(HOSTILE.to_owned()),
            resource: HOSTILE.to_owned(),
        }],
    };
    let ends = [true, false].map(|is_connected| DeviceDonePage {
        layout,
        is_connected,
    });
    let asking = asking.iter().map(Template::render);
    let ends = ends.iter().map(Template::render);
    let pages = asking.chain([confirmation.render()]).chain(ends);
    pages.map(|page| page.unwrap()).collect()
}

fn ends(layout: Layout<'_>) -> Vec<String> {
    let logout = LogoutPage {
        layout,
        csrf: HOSTILE,
        fields: vec![FIELD],
        client: Some(CLIENT),
        user: Some(USER),
    };
    let signed_in = FrontPage {
        layout,
        user: Some(USER),
    };
    let signed_out = FrontPage { layout, user: None };
    let logged_out = LoggedOutPage {
        layout,
        frames: vec![HOSTILE],
        return_to: Some(HOSTILE),
    };
    let fronts = [signed_in.render(), signed_out.render()];
    let logouts = [logout.render(), logged_out.render()];
    let pages = fronts.into_iter().chain(logouts);
    pages.map(|page| page.unwrap()).collect()
}

fn errors(layout: Layout<'_>) -> Vec<String> {
    let registration = RedirectUriRegistration {
        client_id: HOSTILE,
        redirect_uri: HOSTILE,
        authorization_request: HOSTILE,
        csrf: HOSTILE,
    };
    let compare = || RedirectUris::compare(HOSTILE, &["https://a.test"], Some(registration));
    let kinds = ErrorKind::ALL.iter().copied();
    let pages = kinds.map(|kind| ErrorPage {
        layout,
        kind,
        redirect_uris: Some(compare()),
    });
    pages.map(|page| page.render().unwrap()).collect()
}

#[test]
fn no_outside_string_becomes_markup() {
    for page in pages() {
        assert!(!page.contains("<img src=x"), "{page}");
        assert!(!page.contains(r#"""'>"#), "{page}");
        assert!(page.contains("&#60;img src=x onerror=1&#62;"), "{page}");
    }
}

#[test]
fn every_page_works_under_the_content_security_policy() {
    for page in pages() {
        assert!(!page.contains(" style="), "{page}");
        assert!(!page.contains("<script>"), "{page}");
        assert!(!page.contains("<style>"), "{page}");
        assert!(page.contains(r#"<style nonce="the-nonce">:root{--accent:#"#));
        assert!(!page.contains("//cdn"), "{page}");
        for handler in [" onclick=", " onload=", " onsubmit=", " onchange="] {
            assert!(!page.contains(handler), "{page}");
        }
    }
}

#[test]
fn every_page_has_one_heading_a_title_a_language_and_a_main_part() {
    for page in pages() {
        for part in ["<h1", "<title>", "<main", r#"<html lang="en">"#] {
            assert_eq!(page.matches(part).count(), 1, "{part} in {page}");
        }
    }
}

#[test]
fn every_form_and_asset_lies_below_the_issuer() {
    for page in pages() {
        for attribute in [
            r#"action=""#,
            r#"src=""#,
            r#"<link rel="stylesheet" href=""#,
        ] {
            for target in page.split(attribute).skip(1) {
                let outside = target.starts_with("&#34;");
                assert!(
                    target.starts_with("/tenant/") || target.starts_with("/tenant&") || outside
                );
            }
        }
    }
}

#[test]
fn the_ids_that_automation_relies_on_are_there() {
    let all = pages().concat();
    for id in [
        "username",
        "password",
        "login-submit",
        "consent-allow",
        "consent-deny",
        "account-continue",
        "account-other",
        "error-return",
        "logout-confirm",
        "logout-cancel",
        "logout-continue",
        "register-redirect-uri",
        "user-code",
        "device-submit",
        "device-allow",
        "device-deny",
    ] {
        assert!(all.contains(&format!(r#" id="{id}""#)), "{id}");
    }
}

#[test]
fn an_alert_is_announced_and_linked_to_the_fields() {
    let page = &pages()[1];
    assert!(page.contains(r#"role="alert" id="login-alert""#));
    assert_eq!(page.matches(r#"aria-describedby="login-alert""#).count(), 2);
    assert_eq!(page.matches(r#"aria-invalid="true""#).count(), 2);
    assert!(
        !pages()[0].contains("login-alert"),
        "there is nothing to announce"
    );
}

#[test]
fn a_password_is_never_filled_in() {
    for page in pages() {
        for field in page.split(r#"type="password""#).skip(1) {
            let field = field.split('>').next().unwrap();
            assert!(!field.contains("value="), "{field}");
        }
    }
}

#[test]
fn a_monogram_is_the_first_letter_or_digit() {
    for (name, expected) in [
        ("acme", "A"),
        ("  «été»", "É"),
        ("7 Up", "7"),
        ("…", "?"),
        ("", "?"),
    ] {
        assert_eq!(super::monogram(name), expected);
    }
}
