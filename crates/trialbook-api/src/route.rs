//! A route: where it is, who may use it, what it takes and what it gives.
//!
//! Not here: what answers it. Invariant: the server adds its handlers by these, so that the table and what is
//! answered cannot part.

use schemars::{JsonSchema, Schema, SchemaGenerator};

use crate::scope::Scope;

/// What makes the schema of a type.
pub type SchemaOf = fn(&mut SchemaGenerator) -> Schema;

/// The schema of a type.
pub fn schema<T: JsonSchema>(of: &mut SchemaGenerator) -> Schema {
    of.subschema_for::<T>()
}

fn inline<T: JsonSchema>(of: &mut SchemaGenerator) -> Schema {
    T::json_schema(of)
}

/// What is done to what stands at a path.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Method {
    /// Reads it.
    Get,
    /// Makes something new under it, or asks it with a body.
    Post,
    /// Puts it there, whether or not it was there.
    Put,
    /// Changes parts of it.
    Patch,
    /// Takes it away.
    Delete,
}

impl Method {
    /// As HTTP writes it.
    pub const fn word(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Put => "PUT",
            Self::Patch => "PATCH",
            Self::Delete => "DELETE",
        }
    }
}

/// What a body is.
#[derive(Debug, Clone, Copy)]
pub enum Content {
    /// Nothing.
    None,
    /// A JSON document.
    Json(SchemaOf),
    /// Bytes of another kind.
    Bytes {
        /// Its media type.
        kind: &'static str,
        /// What they are.
        about: &'static str,
    },
}

/// A route of the API.
#[derive(Debug, Clone, Copy)]
pub struct Route {
    /// What is done.
    pub method: Method,
    /// Where; what varies stands in braces.
    pub path: &'static str,
    /// Its name for generated clients.
    pub name: &'static str,
    /// What it does, in a sentence.
    pub about: &'static str,
    /// What may be done with it only.
    pub scope: Scope,
    /// The parameters of its query, as the fields of a type.
    pub query: Option<SchemaOf>,
    /// What it takes.
    pub body: Content,
    /// What it gives.
    pub answer: Content,
}

impl Route {
    const fn new(method: Method, path: &'static str, name: &'static str) -> Self {
        Self {
            method,
            path,
            name,
            about: "",
            scope: match method {
                Method::Get => Scope::Read,
                Method::Post | Method::Put | Method::Patch | Method::Delete => Scope::Write,
            },
            query: None,
            body: Content::None,
            answer: Content::None,
        }
    }

    /// A route that reads.
    pub const fn get(path: &'static str, name: &'static str) -> Self {
        Self::new(Method::Get, path, name)
    }

    /// A route that makes something new, or asks with a body.
    pub const fn post(path: &'static str, name: &'static str) -> Self {
        Self::new(Method::Post, path, name)
    }

    /// A route that puts something in its place.
    pub const fn put(path: &'static str, name: &'static str) -> Self {
        Self::new(Method::Put, path, name)
    }

    /// A route that changes parts of something.
    pub const fn patch(path: &'static str, name: &'static str) -> Self {
        Self::new(Method::Patch, path, name)
    }

    /// A route that takes something away.
    pub const fn delete(path: &'static str, name: &'static str) -> Self {
        Self::new(Method::Delete, path, name)
    }

    /// What it does.
    #[must_use]
    pub const fn about(mut self, about: &'static str) -> Self {
        self.about = about;
        self
    }

    /// Who may use it, where that is another than the method says.
    #[must_use]
    pub const fn needs(mut self, scope: Scope) -> Self {
        self.scope = scope;
        self
    }

    /// Takes the parameters of its query from the fields of a type.
    #[must_use]
    pub const fn query<T: JsonSchema>(mut self) -> Self {
        self.query = Some(inline::<T>);
        self
    }

    /// Takes a JSON document.
    #[must_use]
    pub const fn takes<T: JsonSchema>(mut self) -> Self {
        self.body = Content::Json(schema::<T>);
        self
    }

    /// Takes bytes.
    #[must_use]
    pub const fn takes_bytes(mut self, kind: &'static str, about: &'static str) -> Self {
        self.body = Content::Bytes { kind, about };
        self
    }

    /// Gives a JSON document.
    #[must_use]
    pub const fn gives<T: JsonSchema>(mut self) -> Self {
        self.answer = Content::Json(schema::<T>);
        self
    }

    /// Gives bytes.
    #[must_use]
    pub const fn gives_bytes(mut self, kind: &'static str, about: &'static str) -> Self {
        self.answer = Content::Bytes { kind, about };
        self
    }

    /// The resource: the first word below the root.
    pub fn resource(&self) -> &'static str {
        let inside = self.path.strip_prefix(crate::ROOT).unwrap_or(self.path);
        inside
            .trim_start_matches('/')
            .split('/')
            .next()
            .unwrap_or_default()
    }

    /// What varies in its path, in order.
    pub fn places(&self) -> impl Iterator<Item = &'static str> {
        let parts = self.path.split('/');
        parts.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }
}
