//! Reading one JSON object of a schema file, key by key, with errors that say where it stands.

use std::fmt;

use serde_json::{Map, Value};

/// Why a schema file was refused: what to look at, and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LoadError {
    pub file: String,
    /// Where in the file: `attributes[2].type`; empty when it is the file as a whole.
    pub path: String,
    /// `name.givenName`; `None` when the mistake is not in one attribute.
    pub attribute: Option<String>,
    pub reason: String,
}

impl LoadError {
    /// A mistake of the file as a whole.
    pub(super) fn of_file(file: &str, reason: impl Into<String>) -> Self {
        Self {
            file: file.to_owned(),
            path: String::new(),
            attribute: None,
            reason: reason.into(),
        }
    }
}

impl fmt::Display for LoadError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "schema file {}: ", self.file)?;
        match (&self.attribute, self.path.as_str()) {
            (Some(attribute), "") => write!(f, "attribute {attribute}: ")?,
            (Some(attribute), path) => write!(f, "{path} (attribute {attribute}): ")?,
            (None, "") => {}
            (None, path) => write!(f, "{path}: ")?,
        }
        f.write_str(&self.reason)
    }
}

impl std::error::Error for LoadError {}

/// One JSON object of a schema file, and where it stands.
#[derive(Clone)]
pub(super) struct Node<'a> {
    pub(super) file: &'a str,
    /// `attributes[2]`; empty at the top of the file.
    pub(super) path: String,
    pub(super) attribute: Option<String>,
    pub(super) object: &'a Map<String, Value>,
}

impl<'a> Node<'a> {
    pub(super) fn new(
        file: &'a str,
        path: String,
        attribute: Option<String>,
        value: &'a Value,
    ) -> Result<Self, LoadError> {
        match value.as_object() {
            Some(object) => Ok(Self {
                file,
                path,
                attribute,
                object,
            }),
            None => Err(LoadError {
                file: file.to_owned(),
                path,
                attribute,
                reason: "must be a JSON object".to_owned(),
            }),
        }
    }

    /// The place of a member, or of an element of it.
    pub(super) fn at(&self, key: &str) -> String {
        if self.path.is_empty() {
            key.to_owned()
        } else {
            format!("{}.{key}", self.path)
        }
    }

    /// A mistake of the object as a whole.
    pub(super) fn fault(&self, reason: impl Into<String>) -> LoadError {
        LoadError {
            file: self.file.to_owned(),
            path: self.path.clone(),
            attribute: self.attribute.clone(),
            reason: reason.into(),
        }
    }

    /// A mistake of one member.
    pub(super) fn fault_at(&self, key: &str, reason: impl Into<String>) -> LoadError {
        LoadError {
            path: self.at(key),
            ..self.fault(reason)
        }
    }

    /// Refuses keys nobody would read: a misspelled characteristic must not pass for a default.
    pub(super) fn only(&self, known: &[&str]) -> Result<(), LoadError> {
        match self
            .object
            .keys()
            .find(|key| !known.contains(&key.as_str()))
        {
            Some(key) => Err(self.fault(format!(
                "unknown key `{key}`; known are {}",
                known.join(", ")
            ))),
            None => Ok(()),
        }
    }

    pub(super) fn text(&self, key: &str) -> Result<Option<&'a str>, LoadError> {
        match self.object.get(key) {
            None => Ok(None),
            Some(Value::String(text)) if !text.is_empty() => Ok(Some(text)),
            Some(_) => Err(self.fault_at(key, format!("`{key}` must be a non-empty string"))),
        }
    }

    /// A text that may be empty: a description.
    pub(super) fn free_text(&self, key: &str) -> Result<String, LoadError> {
        match self.object.get(key) {
            None => Ok(String::new()),
            Some(Value::String(text)) => Ok(text.clone()),
            Some(_) => Err(self.fault_at(key, format!("`{key}` must be a string"))),
        }
    }

    pub(super) fn required_text(&self, key: &str) -> Result<&'a str, LoadError> {
        self.text(key)?
            .ok_or_else(|| self.fault(format!("`{key}` is missing")))
    }

    pub(super) fn flag(&self, key: &str) -> Result<Option<bool>, LoadError> {
        match self.object.get(key) {
            None => Ok(None),
            Some(Value::Bool(flag)) => Ok(Some(*flag)),
            Some(_) => Err(self.fault_at(key, format!("`{key}` must be true or false"))),
        }
    }

    pub(super) fn array(&self, key: &str) -> Result<Option<&'a [Value]>, LoadError> {
        match self.object.get(key) {
            None => Ok(None),
            Some(Value::Array(items)) => Ok(Some(items)),
            Some(_) => Err(self.fault_at(key, format!("`{key}` must be an array"))),
        }
    }

    pub(super) fn texts(&self, key: &str) -> Result<Vec<String>, LoadError> {
        let items = self.array(key)?.unwrap_or_default();
        let texts: Option<Vec<String>> = items
            .iter()
            .map(|item| item.as_str().map(str::to_owned))
            .collect();
        texts.ok_or_else(|| self.fault_at(key, format!("`{key}` must hold strings only")))
    }

    /// A characteristic with a closed vocabulary.
    pub(super) fn keyword<T: Copy>(
        &self,
        key: &str,
        words: &[(&str, T)],
    ) -> Result<Option<T>, LoadError> {
        let Some(word) = self.text(key)? else {
            return Ok(None);
        };
        match words.iter().find(|(known, _)| *known == word) {
            Some((_, value)) => Ok(Some(*value)),
            None => {
                let known: Vec<&str> = words.iter().map(|(known, _)| *known).collect();
                let reason = format!("unknown {key} `{word}`; use one of {}", known.join(", "));
                Err(self.fault_at(key, reason))
            }
        }
    }

    /// The object under our own key, checked for its keys.
    pub(super) fn ours(&self, known: &[&str]) -> Result<Option<Node<'a>>, LoadError> {
        let Some(value) = self.object.get("rollcall") else {
            return Ok(None);
        };
        let node = Node::new(
            self.file,
            self.at("rollcall"),
            self.attribute.clone(),
            value,
        )?;
        node.only(known)?;
        Ok(Some(node))
    }
}
