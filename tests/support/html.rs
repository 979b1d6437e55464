//! Reads a page as a form filler does: its elements with an id, its text, its forms.

use std::cell::RefCell;

use html5ever::tendril::StrTendril;
use html5ever::tokenizer::states::RawKind;
use html5ever::tokenizer::{
    BufferQueue, Tag, TagKind, Token, TokenSink, TokenSinkResult, Tokenizer, TokenizerOpts,
};

/// What a page consists of.
#[derive(Clone, Debug, Default)]
pub(crate) struct Document {
    /// Every start tag in order.
    pub(crate) elements: Vec<Element>,
    /// The forms in order.
    pub(crate) forms: Vec<Form>,
    /// The text that a person reads, without scripts and styles.
    pub(crate) text: String,
}

/// A start tag with its attributes.
#[derive(Clone, Debug, Default)]
pub(crate) struct Element {
    /// The tag's name, in lower case.
    pub(crate) name: String,
    /// The attributes, decoded.
    pub(crate) attributes: Vec<(String, String)>,
}

impl Element {
    /// The value of an attribute.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        let mut attributes = self.attributes.iter();
        attributes
            .find(|(own, _)| own == name)
            .map(|(_, value)| value.as_str())
    }

    fn text(&self, name: &str) -> String {
        self.attribute(name).unwrap_or_default().to_owned()
    }
}

/// A form.
#[derive(Clone, Debug, Default)]
pub(crate) struct Form {
    /// Its id, if it has one.
    pub(crate) id: String,
    /// Where it goes, as written: empty for the page's own URL.
    pub(crate) action: String,
    /// Whether it is posted.
    pub(crate) is_post: bool,
    /// The fields that are sent whichever button is pressed.
    pub(crate) fields: Vec<(String, String)>,
    /// The buttons that submit it.
    pub(crate) buttons: Vec<Button>,
}

/// A button that submits a form.
#[derive(Clone, Debug)]
pub(crate) struct Button {
    /// Its id.
    pub(crate) id: String,
    /// The field that it adds, empty if none.
    pub(crate) name: String,
    /// The value of that field.
    pub(crate) value: String,
    /// Where it sends the form instead.
    pub(crate) action: Option<String>,
}

impl Form {
    /// Whether it has a field of that name.
    pub(crate) fn has(&self, name: &str) -> bool {
        self.fields.iter().any(|(own, _)| own == name)
    }

    /// The value of a field.
    ///
    /// # Panics
    /// If there is none.
    pub(crate) fn value(&self, name: &str) -> &str {
        let mut fields = self.fields.iter();
        let found = fields.find(|(own, _)| own == name);
        found.map_or_else(|| panic!("no field {name} in {self:?}"), |(_, value)| value)
    }

    /// With that field filled in.
    ///
    /// # Panics
    /// If there is none.
    pub(crate) fn fill(mut self, name: &str, value: &str) -> Self {
        let mut fields = self.fields.iter_mut();
        match fields.find(|(own, _)| own == name) {
            Some(field) => value.clone_into(&mut field.1),
            None => panic!("no field {name} in {self:?}"),
        }
        self
    }

    /// With that field as an attacker would add, change or remove it.
    pub(crate) fn tamper(mut self, name: &str, value: Option<&str>) -> Self {
        self.fields.retain(|(own, _)| own != name);
        if let Some(value) = value {
            self.fields.push((name.to_owned(), value.to_owned()));
        }
        self
    }

    /// As it is sent when the button of that id is pressed.
    ///
    /// # Panics
    /// If there is none.
    pub(crate) fn press(mut self, id: &str) -> Self {
        let found = self.buttons.iter().find(|button| button.id == id).cloned();
        let Some(button) = found else {
            panic!("no button {id} in {self:?}")
        };
        if let Some(action) = button.action {
            self.action = action;
        }
        if !button.name.is_empty() {
            self.fields.push((button.name, button.value));
        }
        self
    }
}

impl Document {
    /// Parses a page.
    pub(crate) fn parse(page: &str) -> Self {
        let tokenizer = Tokenizer::new(Reader::default(), TokenizerOpts::default());
        let input = BufferQueue::default();
        input.push_back(StrTendril::from(page));
        let _ = tokenizer.feed(&input);
        tokenizer.end();
        tokenizer.sink.document.take()
    }

    /// The element with that id.
    pub(crate) fn by_id(&self, id: &str) -> Option<&Element> {
        let mut elements = self.elements.iter();
        elements.find(|element| element.attribute("id") == Some(id))
    }

    /// The form that a button of that id submits.
    pub(crate) fn form_with_button(&self, id: &str) -> Option<&Form> {
        let mut forms = self.forms.iter();
        forms.find(|form| form.buttons.iter().any(|button| button.id == id))
    }

    /// The form that has a field of that name.
    pub(crate) fn form_with_field(&self, name: &str) -> Option<&Form> {
        self.forms.iter().find(|form| form.has(name))
    }
}

/// Collects what the tokenizer finds. The server's own pages are well formed, so the order of the
/// tags is all that a form filler needs of the tree.
#[derive(Default)]
struct Reader {
    document: RefCell<Document>,
    state: RefCell<State>,
}

#[derive(Default)]
struct State {
    form: Option<usize>,
    is_hidden: bool,
    select: Option<String>,
    textarea: Option<(String, String)>,
}

impl TokenSink for Reader {
    type Handle = ();

    fn process_token(&self, token: Token, _line: u64) -> TokenSinkResult<()> {
        let mut document = self.document.borrow_mut();
        let mut state = self.state.borrow_mut();
        match token {
            Token::CharacterTokens(text) => {
                if let Some((_, value)) = &mut state.textarea {
                    value.push_str(&text);
                } else if !state.is_hidden {
                    document.text.push_str(&text);
                }
                TokenSinkResult::Continue
            }
            Token::TagToken(tag) if tag.kind == TagKind::StartTag => {
                start(&mut document, &mut state, &tag)
            }
            Token::TagToken(tag) => {
                end(&mut document, &mut state, &tag.name);
                TokenSinkResult::Continue
            }
            _ => TokenSinkResult::Continue,
        }
    }
}

fn start(document: &mut Document, state: &mut State, tag: &Tag) -> TokenSinkResult<()> {
    let attributes = tag.attrs.iter();
    let element = Element {
        name: tag.name.to_string(),
        attributes: attributes
            .map(|attribute| {
                (
                    attribute.name.local.to_string(),
                    attribute.value.to_string(),
                )
            })
            .collect(),
    };
    if element.name == "form" {
        state.form = Some(document.forms.len());
        document.forms.push(Form {
            id: element.text("id"),
            action: element.text("action"),
            is_post: element.text("method").eq_ignore_ascii_case("post"),
            ..Form::default()
        });
    }
    if let Some(form) = form_of(document, state, &element) {
        control(&mut document.forms[form], state, &element);
    }
    let next = match element.name.as_str() {
        "script" | "style" => {
            state.is_hidden = true;
            TokenSinkResult::RawData(RawKind::Rawtext)
        }
        "title" | "textarea" => TokenSinkResult::RawData(RawKind::Rcdata),
        _ => TokenSinkResult::Continue,
    };
    document.elements.push(element);
    next
}

/// The form that a control belongs to: the one its attribute names, or the one around it.
fn form_of(document: &Document, state: &State, element: &Element) -> Option<usize> {
    match element.attribute("form") {
        Some(id) => document.forms.iter().position(|form| form.id == id),
        None => state.form,
    }
}

fn control(form: &mut Form, state: &mut State, element: &Element) {
    let name = element.text("name");
    let is_disabled = element.attribute("disabled").is_some();
    let kind = element.text("type").to_ascii_lowercase();
    let is_checked = element.attribute("checked").is_some();
    match (element.name.as_str(), kind.as_str()) {
        ("button" | "input", "button" | "reset") => {}
        ("button", _) | ("input", "submit") => form.buttons.push(Button {
            id: element.text("id"),
            name,
            value: element.text("value"),
            action: element.attribute("formaction").map(ToOwned::to_owned),
        }),
        ("input", "checkbox" | "radio") if !is_checked => {}
        ("input", _) if !name.is_empty() && !is_disabled => {
            let value = element.attribute("value");
            let value = value.unwrap_or(if kind == "checkbox" { "on" } else { "" });
            form.fields.push((name, value.to_owned()));
        }
        ("select", _) => state.select = Some(name),
        ("option", _) if element.attribute("selected").is_some() => {
            if let Some(name) = &state.select {
                form.fields.push((name.clone(), element.text("value")));
            }
        }
        ("textarea", _) => state.textarea = Some((name, String::new())),
        _ => {}
    }
}

fn end(document: &mut Document, state: &mut State, name: &str) {
    match name {
        "form" => state.form = None,
        "script" | "style" => state.is_hidden = false,
        "select" => state.select = None,
        "textarea" => {
            if let (Some(field), Some(form)) = (state.textarea.take(), state.form) {
                document.forms[form].fields.push(field);
            }
        }
        "p" | "h1" | "h2" | "li" | "dt" | "dd" | "label" | "button" | "title" => {
            document.text.push('\n');
        }
        _ => {}
    }
}
