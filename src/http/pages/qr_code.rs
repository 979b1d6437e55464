//! QR codes as the outline of one shape, so that a template draws them without trusted markup.

use std::fmt::Write as _;

/// A QR code.
#[derive(Clone, Debug, Eq, PartialEq)]
pub struct QrCode {
    /// How many modules it is wide and high, with the margin that readers need.
    pub size: usize,
    /// Its dark modules as the data of an SVG path.
    pub path: String,
}

impl QrCode {
    /// The code of `text`; `None` if that is longer than a code can hold.
    #[must_use]
    pub fn of(text: &str) -> Option<Self> {
        let code = qrcode::QrCode::new(text).ok()?;
        let width = code.width();
        let mut path = String::new();
        for (index, color) in code.to_colors().into_iter().enumerate() {
            if color == qrcode::Color::Dark {
                let (x, y) = (index % width + MARGIN, index / width + MARGIN);
                // Writing to a string does not fail.
                let _ = write!(path, "M{x} {y}h1v1h-1z");
            }
        }
        Some(Self {
            size: width + 2 * MARGIN,
            path,
        })
    }
}

/// ISO/IEC 18004 section 9.1: four modules of light on each side.
const MARGIN: usize = 4;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_code_has_its_finder_patterns_and_a_margin() {
        let code = QrCode::of("https://login.example/device?user_code=WDJB-MJHT").unwrap();
        assert_eq!((code.size - 8) % 4, 1, "versions are 21, 25, 29 …");
        for corner in ["M4 4h1", "M4 10h1", "M10 4h1"] {
            assert!(code.path.contains(corner), "{corner}");
        }
        let drawn = code
            .path
            .trim_matches(|it: char| "Mhvz- ".contains(it) || it.is_ascii_digit());
        assert_eq!(drawn, "");
        assert_eq!(QrCode::of(&"x".repeat(3000)), None);
    }
}
