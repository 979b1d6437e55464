//! The operator's accent colour, made readable on light and on dark.
//!
//! Contrast is WCAG 2.2's ([relative luminance], [contrast ratio]): 4.5 for text.
//!
//! [relative luminance]: https://www.w3.org/TR/WCAG22/#dfn-relative-luminance
//! [contrast ratio]: https://www.w3.org/TR/WCAG22/#dfn-contrast-ratio

use std::fmt;
use std::str::FromStr;

/// A colour that an operator chose.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Accent(Colour);

/// A colour that is not of the form `#rgb` or `#rrggbb`.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("a colour is written `#rgb` or `#rrggbb`")]
pub struct AccentError;

/// An opaque sRGB colour.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Colour {
    /// Red.
    pub red: u8,
    /// Green.
    pub green: u8,
    /// Blue.
    pub blue: u8,
}

/// The colours that follow from an accent on one background.
#[derive(Clone, Copy, Debug, Eq, PartialEq)]
pub struct Palette {
    /// Buttons, and links, which are text.
    pub accent: Colour,
    /// A button under the pointer.
    pub hover: Colour,
    /// Text on either.
    pub on_accent: Colour,
}

impl Accent {
    /// The colours to use on `background`: the accent itself if it can be read there, or else the
    /// nearest colour towards black or white that can.
    #[must_use]
    pub fn on(self, background: Colour) -> Palette {
        let away = if contrast(background, BLACK) > contrast(background, WHITE) {
            BLACK
        } else {
            WHITE
        };
        let accent = (0..=100)
            .map(|percent| self.0.mixed(away, percent))
            .find(|colour| contrast(*colour, background) >= MINIMUM)
            .unwrap_or(away);
        // One of the two always reaches 4.5, whatever the colour.
        let on_accent = if contrast(accent, WHITE) >= MINIMUM {
            WHITE
        } else {
            BLACK
        };
        let away_from_text = if on_accent == WHITE { BLACK } else { WHITE };
        Palette {
            accent,
            hover: accent.mixed(away_from_text, 12),
            on_accent,
        }
    }

    /// The style sheet that gives the pages this colour.
    #[must_use]
    pub fn style_sheet(self) -> String {
        format!(
            ":root{{{}}}@media (prefers-color-scheme:dark){{:root{{{}}}}}",
            self.on(LIGHT_BACKGROUND),
            self.on(DARK_BACKGROUND)
        )
    }
}

impl FromStr for Accent {
    type Err = AccentError;

    fn from_str(text: &str) -> Result<Self, AccentError> {
        let digits = text.strip_prefix('#').ok_or(AccentError)?;
        let digits = digits
            .chars()
            .map(|digit| {
                digit
                    .to_digit(16)
                    .and_then(|value| u8::try_from(value).ok())
            })
            .collect::<Option<Vec<u8>>>()
            .ok_or(AccentError)?;
        let (red, green, blue) = match digits[..] {
            [r, g, b] => (r * 17, g * 17, b * 17),
            [r1, r0, g1, g0, b1, b0] => (r1 * 16 + r0, g1 * 16 + g0, b1 * 16 + b0),
            _ => return Err(AccentError),
        };
        Ok(Self(Colour { red, green, blue }))
    }
}

impl Colour {
    /// This colour with `percent` of `other` in it.
    fn mixed(self, other: Self, percent: u16) -> Self {
        let mix = |own: u8, other: u8| {
            let sum = u16::from(own) * (100 - percent) + u16::from(other) * percent;
            u8::try_from((sum + 50) / 100).unwrap_or(u8::MAX)
        };
        Self {
            red: mix(self.red, other.red),
            green: mix(self.green, other.green),
            blue: mix(self.blue, other.blue),
        }
    }

    fn luminance(self) -> f64 {
        let linear = |channel: u8| {
            let value = f64::from(channel) / 255.0;
            if value <= 0.04045 {
                value / 12.92
            } else {
                ((value + 0.055) / 1.055).powf(2.4)
            }
        };
        0.2126 * linear(self.red) + 0.7152 * linear(self.green) + 0.0722 * linear(self.blue)
    }
}

impl fmt::Display for Colour {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "#{:02x}{:02x}{:02x}", self.red, self.green, self.blue)
    }
}

impl fmt::Display for Palette {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(
            f,
            "--accent:{};--accent-hover:{};--on-accent:{}",
            self.accent, self.hover, self.on_accent
        )
    }
}

/// How well two colours can be told apart, from 1 to 21.
#[must_use]
pub fn contrast(one: Colour, other: Colour) -> f64 {
    let (one, other) = (one.luminance(), other.luminance());
    (one.max(other) + 0.05) / (one.min(other) + 0.05)
}

/// What text needs at least.
const MINIMUM: f64 = 4.5;

const WHITE: Colour = grey(0xff);
const BLACK: Colour = grey(0);

/// The darkest of the light surfaces of `static/keyfob.css` that a link stands on.
const LIGHT_BACKGROUND: Colour = grey(0xf1);

/// The lightest of its dark surfaces.
const DARK_BACKGROUND: Colour = grey(0x26);

const fn grey(value: u8) -> Colour {
    Colour {
        red: value,
        green: value,
        blue: value,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn accent(text: &str) -> Accent {
        text.parse().unwrap()
    }

    #[test]
    fn contrast_is_that_of_wcag() {
        assert!((contrast(WHITE, BLACK) - 21.0).abs() < 0.001);
        assert!((contrast(WHITE, WHITE) - 1.0).abs() < 0.001);
        // #767676 is the lightest grey that passes on white.
        assert!(contrast(grey(0x76), WHITE) >= 4.5);
        assert!(contrast(grey(0x77), WHITE) < 4.5);
    }

    #[test]
    fn any_colour_becomes_readable_on_light_and_on_dark() {
        for red in (0..=255).step_by(51) {
            for green in (0..=255).step_by(51) {
                for blue in (0..=255).step_by(51) {
                    let accent = Accent(Colour { red, green, blue });
                    for background in [LIGHT_BACKGROUND, DARK_BACKGROUND] {
                        let palette = accent.on(background);
                        assert!(contrast(palette.accent, background) >= 4.5);
                        assert!(contrast(palette.on_accent, palette.accent) >= 4.5);
                        assert!(contrast(palette.on_accent, palette.hover) >= 4.5);
                    }
                }
            }
        }
    }

    #[test]
    fn a_readable_colour_is_left_alone() {
        let palette = accent("#1d4ed8").on(LIGHT_BACKGROUND);
        assert_eq!(palette.accent.to_string(), "#1d4ed8");
        assert_eq!(palette.on_accent, WHITE);
    }

    #[test]
    fn a_pale_colour_is_darkened_on_light_and_gets_dark_text_on_dark() {
        let yellow = accent("#ffd400");
        let light = yellow.on(LIGHT_BACKGROUND);
        assert_ne!(light.accent.to_string(), "#ffd400");
        let dark = yellow.on(DARK_BACKGROUND);
        assert_eq!(dark.accent.to_string(), "#ffd400");
        assert_eq!(dark.on_accent, BLACK);
    }

    #[test]
    fn only_hexadecimal_colours_are_accents() {
        assert_eq!(accent("#abc"), accent("#aabbcc"));
        for text in ["", "#", "abc", "#abcd", "#gggggg", "red", "#fff;}", "#éé"] {
            assert_eq!(text.parse::<Accent>(), Err(AccentError), "{text}");
        }
    }

    #[test]
    fn the_style_sheet_holds_colours_and_nothing_else() {
        assert_eq!(
            accent("#1d4ed8").style_sheet().split("@media").next(),
            Some(":root{--accent:#1d4ed8;--accent-hover:#1a45be;--on-accent:#ffffff}")
        );
        assert!(!accent("#fff").style_sheet().contains(['<', '&', '"', '\'']));
    }
}
