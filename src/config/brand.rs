//! What the pages look like: name, logo and accent colour.

use std::fmt;
use std::fs;
use std::path::{Path, PathBuf};

use super::files::unreadable;
use super::mistake::Wrong;
use super::reader::Reader;
use super::source::Raw;
use super::value::{Value, quoted, text};

/// What the pages look like.
#[derive(Clone, Debug)]
pub struct Brand {
    /// The name on every page.
    pub name: String,
    /// The picture beside it, where there is one.
    pub logo: Option<Logo>,
    /// The colour of buttons and links, where it is not Keyfob's.
    pub accent_color: Option<Color>,
}

/// A picture that was read at start.
#[derive(Clone)]
pub struct Logo {
    /// The media type: `image/svg+xml` or `image/png`.
    pub media_type: &'static str,
    /// The file's content.
    pub bytes: Vec<u8>,
}

impl fmt::Debug for Logo {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Logo({}, {} bytes)", self.media_type, self.bytes.len())
    }
}

/// A colour of the form `#rrggbb`.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct Color(String);

impl Color {
    /// The colour as style sheets write it, in lower case.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Value for Color {
    fn parse(raw: &Raw) -> Result<Self, Wrong> {
        let text = text(raw)?.trim();
        let is_color = text.strip_prefix('#').is_some_and(|digits| {
            digits.len() == 6 && digits.bytes().all(|byte| byte.is_ascii_hexdigit())
        });
        if !is_color {
            return Err(Wrong::new(
                "is not a colour",
                "write # and six hexadecimal digits in quotes, such as \"#2563eb\"",
            ));
        }
        Ok(Self(text.to_ascii_lowercase()))
    }

    fn to_toml(&self) -> String {
        quoted(&self.0)
    }
}

/// Reads `[brand]`.
pub(super) fn read(reader: &mut Reader) -> Brand {
    let name: String = reader.or("brand.name", "Keyfob".to_owned());
    if name.chars().count() > LONGEST_NAME {
        let wrong = Wrong::new(
            format!("is longer than {LONGEST_NAME} characters"),
            "write a shorter name: it stands at the head of every page",
        );
        reader.wrong("brand.name", wrong);
    }
    let logo: Option<PathBuf> = reader.optional("brand.logo");
    let logo = logo.and_then(|path| {
        let logo = read_logo(&path);
        logo.map_err(|wrong| reader.wrong("brand.logo", wrong)).ok()
    });
    Brand {
        name,
        logo,
        accent_color: reader.optional("brand.accent_color"),
    }
}

fn read_logo(path: &Path) -> Result<Logo, Wrong> {
    let bytes = fs::read(path).map_err(|error| unreadable(path, &error))?;
    if bytes.len() > LARGEST_LOGO {
        return Err(Wrong::new(
            format!("names {}, which is larger than 256 KiB", path.display()),
            "name a smaller picture: every page loads it",
        ));
    }
    let is_svg = std::str::from_utf8(&bytes).is_ok_and(|text| text.contains("<svg"));
    let media_type = if bytes.starts_with(PNG) {
        "image/png"
    } else if is_svg {
        "image/svg+xml"
    } else {
        return Err(Wrong::new(
            format!("names {}, which is neither SVG nor PNG", path.display()),
            "name an SVG or a PNG file",
        ));
    };
    Ok(Logo { media_type, bytes })
}

const LONGEST_NAME: usize = 64;
const LARGEST_LOGO: usize = 256 * 1024;

/// How every PNG file begins.
const PNG: &[u8] = b"\x89PNG\r\n\x1a\n";
