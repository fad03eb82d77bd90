//! Errors in the shape in which OpenAI's API has them, which is what clients take apart.

use axum::http::{HeaderValue, StatusCode, header};
use axum::response::{IntoResponse, Response};
use model::{ModelError, Refused};
use serde_json::{Value, json};

use crate::catalogue::CatalogueError;
use crate::engine::Declined;

/// Why a request has no answer.
#[derive(Clone, Debug, PartialEq)]
pub struct ApiError {
    pub status: StatusCode,
    kind: &'static str,
    code: Option<&'static str>,
    param: Option<String>,
    message: String,
}

impl ApiError {
    fn new(status: StatusCode, kind: &'static str, message: impl Into<String>) -> ApiError {
        ApiError { status, kind, code: None, param: None, message: message.into() }
    }

    /// The request is not one that can be answered.
    pub fn invalid(message: impl Into<String>) -> ApiError {
        ApiError::new(StatusCode::BAD_REQUEST, "invalid_request_error", message)
    }

    /// A field of the request is not what it has to be.
    pub fn field(name: &str, message: impl Into<String>) -> ApiError {
        ApiError { param: Some(name.to_owned()), code: Some("invalid_value"), ..ApiError::invalid(message) }
    }

    /// A field is of another type than it has to be.
    pub fn of_type(name: &str, message: impl Into<String>) -> ApiError {
        ApiError { code: Some("invalid_type"), ..ApiError::field(name, message) }
    }

    /// A field asks for what there is not.
    pub fn unsupported(name: &str, message: impl Into<String>) -> ApiError {
        ApiError { code: Some("unsupported_parameter"), ..ApiError::field(name, message) }
    }

    /// The key is missing or wrong.
    pub fn key(message: &str) -> ApiError {
        let error = ApiError::new(StatusCode::UNAUTHORIZED, "invalid_request_error", message);
        ApiError { code: Some("invalid_api_key"), ..error }
    }

    /// Whoever asks may not.
    pub fn forbidden(message: String) -> ApiError {
        ApiError::new(StatusCode::FORBIDDEN, "invalid_request_error", message)
    }

    /// There is nothing at this place.
    pub fn no_route(method: &str, path: &str) -> ApiError {
        let message = format!(
            "there is no {method} {path} here; there are GET /v1/models, POST /v1/chat/completions and POST /v1/completions"
        );
        let error = ApiError::new(StatusCode::NOT_FOUND, "invalid_request_error", message);
        ApiError { code: Some("unknown_url"), ..error }
    }

    /// The request is too long to be read.
    pub fn too_large(bytes: usize) -> ApiError {
        let message = format!("the request is longer than the {bytes} bytes that this server reads");
        ApiError::new(StatusCode::PAYLOAD_TOO_LARGE, "invalid_request_error", message)
    }

    /// The server is about to stop.
    pub fn closing() -> ApiError {
        ApiError::new(StatusCode::SERVICE_UNAVAILABLE, "server_error", "the server is shutting down")
    }

    /// The engine failed while it worked on this.
    pub fn failed() -> ApiError {
        let message = "the engine failed while it worked on this request; others go on";
        ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", message)
    }

    /// Names the field that an error is about, unless it names one.
    pub fn of(self, name: &str) -> ApiError {
        ApiError { param: self.param.or_else(|| Some(name.to_owned())), ..self }
    }

    /// The body.
    pub fn body(&self) -> Value {
        json!({ "error": {
            "message": self.message, "type": self.kind, "param": self.param, "code": self.code,
        }})
    }
}

impl From<CatalogueError> for ApiError {
    fn from(error: CatalogueError) -> ApiError {
        let message = error.to_string();
        match error {
            CatalogueError::Unknown(_) => ApiError {
                code: Some("model_not_found"),
                param: Some("model".to_owned()),
                ..ApiError::new(StatusCode::NOT_FOUND, "invalid_request_error", message)
            },
            CatalogueError::Load { .. } | CatalogueError::Failed(_) => {
                ApiError::new(StatusCode::INTERNAL_SERVER_ERROR, "server_error", message)
            }
        }
    }
}

impl From<ModelError> for ApiError {
    fn from(error: ModelError) -> ApiError {
        ApiError::invalid(error.to_string())
    }
}

impl From<Refused> for ApiError {
    fn from(refused: Refused) -> ApiError {
        let error = ApiError::invalid(refused.to_string());
        match refused {
            Refused::Positions { .. } | Refused::Memory { .. } => {
                ApiError { code: Some("context_length_exceeded"), ..error }
            }
            Refused::Empty | Refused::Token { .. } => error,
        }
    }
}

impl From<Declined> for ApiError {
    fn from(declined: Declined) -> ApiError {
        match declined {
            Declined::Full => ApiError {
                code: Some("rate_limit_exceeded"),
                ..ApiError::new(
                    StatusCode::TOO_MANY_REQUESTS,
                    "requests",
                    "as many texts as this server takes on are under way or wait; try again",
                )
            },
            Declined::TooMany { most } => {
                let message = format!("this server has room for {most} texts; ask for fewer at once");
                ApiError { code: Some("invalid_value"), ..ApiError::invalid(message) }
            }
            Declined::Refused(refused) => refused.into(),
            Declined::Failed => ApiError::failed(),
        }
    }
}

impl IntoResponse for ApiError {
    fn into_response(self) -> Response {
        let mut response = (self.status, axum::Json(self.body())).into_response();
        if self.status == StatusCode::TOO_MANY_REQUESTS {
            response.headers_mut().insert(header::RETRY_AFTER, HeaderValue::from_static("1"));
        }
        response
    }
}
