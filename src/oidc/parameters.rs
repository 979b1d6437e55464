//! Request parameters: form encoding read strictly, and no parameter twice.

use percent_encoding::percent_decode_str;

/// The parameters of a request, in the order in which they were sent
/// ([RFC 6749 appendix B], the `application/x-www-form-urlencoded` format).
///
/// [RFC 6749 appendix B]: https://www.rfc-editor.org/rfc/rfc6749#appendix-B
#[derive(Clone, Debug, Default, Eq, PartialEq)]
pub struct Parameters(Vec<(String, String)>);

/// Why a text is not a list of parameters.
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
pub enum ParametersError {
    /// A percent sign without two hexadecimal digits, or bytes that are not UTF-8.
    #[error("the parameters are not percent-encoded UTF-8")]
    Encoding,
    /// A control character, which no parameter has a use for.
    #[error("the parameters have a control character")]
    ControlCharacter,
    /// More of them than any request has a use for.
    #[error("the request has too many parameters")]
    TooMany,
}

/// A parameter that was sent more than once ([RFC 6749 section 3.1]).
///
/// [RFC 6749 section 3.1]: https://www.rfc-editor.org/rfc/rfc6749#section-3.1
#[derive(Clone, Copy, Debug, Eq, PartialEq, thiserror::Error)]
#[error("the parameter {0} was sent more than once")]
pub struct Repeated(pub &'static str);

impl Parameters {
    /// Reads a query string or a form body.
    pub fn parse(text: &str) -> Result<Self, ParametersError> {
        let mut parameters = Self::default();
        for pair in text.split('&').filter(|pair| !pair.is_empty()) {
            if parameters.0.len() == MOST {
                return Err(ParametersError::TooMany);
            }
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            parameters.0.push((decode(name)?, decode(value)?));
        }
        Ok(parameters)
    }

    /// Parameters that did not come form-encoded.
    pub fn from_pairs(
        pairs: impl IntoIterator<Item = (String, String)>,
    ) -> Result<Self, ParametersError> {
        let mut parameters = Self::default();
        for (name, value) in pairs {
            if parameters.0.len() == MOST {
                return Err(ParametersError::TooMany);
            }
            if [&name, &value]
                .iter()
                .any(|text| text.chars().any(char::is_control))
            {
                return Err(ParametersError::ControlCharacter);
            }
            parameters.0.push((name, value));
        }
        Ok(parameters)
    }

    /// These parameters and those of `other` after them.
    #[must_use]
    pub fn and(mut self, other: Self) -> Self {
        self.0.extend(other.0);
        self
    }

    /// These parameters but those of these names.
    #[must_use]
    pub fn without(mut self, names: &[&str]) -> Self {
        self.0.retain(|(own, _)| !names.contains(&own.as_str()));
        self
    }

    /// These parameters and one more.
    #[must_use]
    pub fn with(mut self, name: &str, value: &str) -> Self {
        self.0.push((name.to_owned(), value.to_owned()));
        self
    }

    /// The value of a parameter. One sent without a value counts as not sent
    /// ([RFC 6749 section 3.1]).
    ///
    /// [RFC 6749 section 3.1]: https://www.rfc-editor.org/rfc/rfc6749#section-3.1
    pub fn get(&self, name: &'static str) -> Result<Option<&str>, Repeated> {
        Ok(self.get_even_empty(name)?.filter(|value| !value.is_empty()))
    }

    /// The value of a parameter, also when it is empty.
    pub fn get_even_empty(&self, name: &'static str) -> Result<Option<&str>, Repeated> {
        let mut values = self.0.iter().filter(|(own, _)| own == name);
        let first = values.next();
        match values.next() {
            Some(_) => Err(Repeated(name)),
            None => Ok(first.map(|(_, value)| value.as_str())),
        }
    }

    /// Every value of a parameter that may be sent more than once.
    pub fn get_all<'a>(&'a self, name: &'a str) -> impl Iterator<Item = &'a str> {
        let own = self.0.iter().filter(move |(own, _)| own == name);
        own.map(|(_, value)| value.as_str())
    }

    /// Whether a parameter of this name was sent.
    #[must_use]
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(own, _)| own == name)
    }

    /// The parameters, form-encoded again.
    #[must_use]
    pub fn encode(&self) -> String {
        url::form_urlencoded::Serializer::new(String::new())
            .extend_pairs(&self.0)
            .finish()
    }
}

/// Decodes one name or value, once.
pub(crate) fn decode(text: &str) -> Result<String, ParametersError> {
    let spaced = text.replace('+', " ");
    let has_bad_escape = spaced.split('%').skip(1).any(|rest| {
        let digits = rest.as_bytes().get(..2);
        !digits.is_some_and(|digits| digits.iter().all(u8::is_ascii_hexdigit))
    });
    if has_bad_escape {
        return Err(ParametersError::Encoding);
    }
    let decoded = percent_decode_str(&spaced)
        .decode_utf8()
        .map_err(|_| ParametersError::Encoding)?;
    if decoded.chars().any(char::is_control) {
        return Err(ParametersError::ControlCharacter);
    }
    Ok(decoded.into_owned())
}

const MOST: usize = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_not_percent_encoded_utf_8_is_refused() {
        for (text, expected) in [
            ("a=%ff", ParametersError::Encoding),
            ("a=%c0%af", ParametersError::Encoding),
            ("a=%ed%a0%80", ParametersError::Encoding),
            ("a=%", ParametersError::Encoding),
            ("a=%zz", ParametersError::Encoding),
            ("a=%+1", ParametersError::Encoding),
            ("a=%00", ParametersError::ControlCharacter),
            ("a%0d%0a=1", ParametersError::ControlCharacter),
        ] {
            assert_eq!(Parameters::parse(text), Err(expected), "{text}");
        }
        let many = "a=1&".repeat(101);
        assert_eq!(Parameters::parse(&many), Err(ParametersError::TooMany));
    }

    #[test]
    fn a_repeated_parameter_is_refused_even_when_equal() {
        let parameters = Parameters::parse("a=1&a=1&b=&c=%2B+x").unwrap();
        assert_eq!(parameters.get("a"), Err(Repeated("a")));
        assert_eq!(parameters.get("b"), Ok(None));
        assert_eq!(parameters.get_even_empty("b"), Ok(Some("")));
        assert_eq!(parameters.get("c"), Ok(Some("+ x")));
    }
}
