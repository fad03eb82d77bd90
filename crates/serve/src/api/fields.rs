//! The fields of a request, read one by one so that an error can name the one that is wrong.

use serde_json::{Map, Value};
use std::ops::RangeInclusive;

use super::error::ApiError;

/// A request's JSON object.
#[derive(Clone, Copy)]
pub struct Fields<'a>(&'a Map<String, Value>);

impl<'a> Fields<'a> {
    /// Of a body.
    pub fn of(body: &'a Value) -> Result<Fields<'a>, ApiError> {
        body.as_object().map(Fields).ok_or_else(|| ApiError::invalid("the body is not a JSON object"))
    }

    /// A field that is there and not null.
    pub fn get(self, name: &str) -> Option<&'a Value> {
        self.0.get(name).filter(|value| !value.is_null())
    }

    /// A number in a range.
    pub fn number(self, name: &str, range: RangeInclusive<f64>) -> Result<Option<f64>, ApiError> {
        let (low, high) = (range.start(), range.end());
        let read = |value: &Value| {
            let number = value.as_f64().filter(|number| range.contains(number));
            number.ok_or_else(|| {
                ApiError::field(name, format!("`{name}` has to be a number from {low} to {high}"))
            })
        };
        self.get(name).map(read).transpose()
    }

    /// A whole number in a range.
    pub fn integer(self, name: &str, range: RangeInclusive<u64>) -> Result<Option<u64>, ApiError> {
        let (low, high) = (range.start(), range.end());
        let read = |value: &Value| {
            let number = value.as_u64().filter(|number| range.contains(number));
            number.ok_or_else(|| {
                ApiError::field(name, format!("`{name}` has to be a whole number from {low} to {high}"))
            })
        };
        self.get(name).map(read).transpose()
    }

    /// A yes or no.
    pub fn flag(self, name: &str) -> Result<Option<bool>, ApiError> {
        let read = |value: &Value| {
            value
                .as_bool()
                .ok_or_else(|| ApiError::of_type(name, format!("`{name}` has to be true or false")))
        };
        self.get(name).map(read).transpose()
    }

    /// A text that has to be there.
    pub fn text(self, name: &str) -> Result<&'a str, ApiError> {
        let value = self.get(name).ok_or_else(|| ApiError::field(name, format!("`{name}` is missing")))?;
        value.as_str().ok_or_else(|| ApiError::of_type(name, format!("`{name}` has to be a text")))
    }

    /// An object.
    pub fn object(self, name: &str) -> Result<Option<&'a Map<String, Value>>, ApiError> {
        let read = |value: &'a Value| {
            value.as_object().ok_or_else(|| ApiError::of_type(name, format!("`{name}` has to be an object")))
        };
        self.get(name).map(read).transpose()
    }

    /// One text, or a list of up to `most`.
    pub fn texts(self, name: &str, most: usize) -> Result<Vec<String>, ApiError> {
        let wrong =
            || ApiError::field(name, format!("`{name}` has to be a text or a list of up to {most} texts"));
        match self.get(name) {
            None => Ok(Vec::new()),
            Some(Value::String(text)) => Ok(vec![text.clone()]),
            Some(Value::Array(list)) if list.len() <= most => {
                list.iter().map(|text| text.as_str().map(str::to_owned).ok_or_else(wrong)).collect()
            }
            Some(_) => Err(wrong()),
        }
    }

    /// Refuses what is not supported, unless it asks for nothing: null, or one of the neutral values.
    pub fn unsupported(self, name: &str, neutral: &[Value]) -> Result<(), ApiError> {
        match self.get(name).filter(|value| !neutral.contains(value)) {
            Some(_) => Err(ApiError::unsupported(name, format!("`{name}` is not supported by this server"))),
            None => Ok(()),
        }
    }
}
