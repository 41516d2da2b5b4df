//! How one operation is written down: a builder that knows what every operation of a kind has in common.

use std::collections::BTreeMap;

use serde_json::{Value, json};
use utoipa::ToSchema;
use utoipa::openapi::example::ExampleBuilder;
use utoipa::openapi::header::HeaderBuilder;
use utoipa::openapi::path::{
    HttpMethod, Operation as Described, Parameter, ParameterBuilder, ParameterIn, PathItem,
};
use utoipa::openapi::request_body::RequestBody;
use utoipa::openapi::schema::{AllOf, ObjectBuilder, Type};
use utoipa::openapi::security::SecurityRequirement;
use utoipa::openapi::{
    Components, Content, ContentBuilder, Paths, Ref, RefOr, Required, Response, ResponseBuilder,
    Schema,
};

use super::schemas::{one_of, plain, push, reference};
use crate::api::endpoint::Access;
use crate::api::error::{Body, body, documentation_url, headers};
use crate::api::evidence::UsedCredential;
use crate::domain::codes::guess::GuessedCode;
use crate::domain::ids::ChallengeId;
use crate::domain::scope::Scope;
use crate::error::ErrorCode;

/// The groups of operations.
pub(in crate::api) const CLIENTS: &str = "Client authentication";
pub(in crate::api) const ENROLMENT: &str = "Enrolment";
pub(in crate::api) const FACTORS: &str = "Factors";
pub(in crate::api) const PASSKEYS: &str = "Passkeys";
pub(in crate::api) const CODES: &str = "Codes";
pub(in crate::api) const BROWSERS: &str = "Remembered browsers";
pub(in crate::api) const PAGE: &str = "Hosted page";
pub(in crate::api) const USERS: &str = "Users";
pub(in crate::api) const TESTS: &str = "Tests";
pub(in crate::api) const OPERATOR: &str = "Operator";
pub(in crate::api) const SERVICE: &str = "Service";

pub(super) const ACCESS_TOKEN: &str = "accessToken";
pub(super) const API_KEY: &str = "apiKey";
pub(super) const ADMIN_TOKEN: &str = "adminToken";
pub(in crate::api) const CLIENT_SECRET: &str = "clientSecret";

pub(in crate::api) const JSON: &str = "application/json";
pub(in crate::api) const FORM: &str = "application/x-www-form-urlencoded";

/// A named example.
type Example<'a> = (&'a str, Value);

/// How judging a code fails.
const JUDGED: [ErrorCode; 5] = [
    ErrorCode::InvalidCode,
    ErrorCode::InvalidCredential,
    ErrorCode::CodeAlreadyUsed,
    ErrorCode::FactorDisabled,
    ErrorCode::Locked,
];

pub(in crate::api) struct Operation {
    method: HttpMethod,
    path: &'static str,
    described: Described,
    errors: Vec<ErrorCode>,
    schemas: Vec<(String, RefOr<Schema>)>,
    /// Those of answers.
    answers: Vec<(String, RefOr<Schema>)>,
    /// Whether it takes an `Idempotency-Key`.
    takes_a_key: bool,
}

impl Operation {
    pub(in crate::api) fn new(method: HttpMethod, path: &'static str, access: Access) -> Self {
        let operation = Self {
            path,
            described: Described::new(),
            errors: vec![
                ErrorCode::HttpsRequired,
                ErrorCode::MethodNotAllowed,
                ErrorCode::Internal,
                ErrorCode::Unavailable,
            ],
            schemas: Vec::new(),
            answers: Vec::new(),
            takes_a_key: path.starts_with("/mfa/") && method != HttpMethod::Get,
            method,
        };
        let operation = if operation.takes_a_key {
            operation.with_idempotency_key()
        } else {
            operation
        };
        match access {
            Access::Anyone => operation,
            Access::Client(scope) => operation.for_client(scope),
            Access::Operator => operation.for_operator(),
        }
    }

    fn with_idempotency_key(self) -> Self {
        let key = ObjectBuilder::new()
            .schema_type(Type::String)
            .pattern(Some("^[ -~]+$"))
            .min_length(Some(1))
            .max_length(Some(255));
        let about = "Names the request, so that it takes effect once however often it is sent: for 24 hours the \
             same request with the same key has the first answer, with `Idempotent-Replayed: true`. Draw one at \
             random for each request.";
        self.fails_with([
            ErrorCode::InvalidRequest,
            ErrorCode::RequestInProgress,
            ErrorCode::OutcomeUnknown,
            ErrorCode::IdempotencyKeyReused,
        ])
        .parameter(
            ParameterBuilder::new()
                .name("Idempotency-Key")
                .parameter_in(ParameterIn::Header)
                .required(Required::False)
                .schema(Some(key.build()))
                .description(Some(about))
                .example(Some(json!("8f14e45f-ceea-467f-a8f2-5d3c1a0b9e77")))
                .build(),
        )
    }

    /// `id` is the method of a generated client, `group` where a reference shows it.
    pub(in crate::api) fn named(mut self, id: &str, group: &str, summary: &str) -> Self {
        self.described.operation_id = Some(id.to_owned());
        self.described.tags = Some(vec![group.to_owned()]);
        self.described.summary = Some(summary.to_owned());
        self
    }

    pub(in crate::api) fn text(mut self, description: &str) -> Self {
        self.described.description = Some(description.to_owned());
        self
    }

    /// For a client with its access token, or with an API key of that scope.
    fn for_client(mut self, scope: Scope) -> Self {
        self.described.security = Some(vec![
            SecurityRequirement::new::<_, [&str; 0], _>(ACCESS_TOKEN, []),
            SecurityRequirement::new(API_KEY, [scope.name()]),
        ]);
        self.fails_with([ErrorCode::InvalidToken, ErrorCode::InsufficientScope])
    }

    fn for_operator(mut self) -> Self {
        self.described.security = Some(vec![SecurityRequirement::new::<_, [&str; 0], _>(
            ADMIN_TOKEN,
            [],
        )]);
        self.fails_with([ErrorCode::InvalidToken, ErrorCode::NotFound])
    }

    /// For anyone, or with more said in the request itself.
    pub(in crate::api) fn open_to(mut self, securities: Vec<SecurityRequirement>) -> Self {
        self.described.security = Some(securities);
        self
    }

    /// A JSON body that may name the client.
    pub(in crate::api) fn client_body<T: ToSchema>(self, examples: &[Example<'_>]) -> Self {
        self.body::<T>(JSON, examples)
            .fails_with([ErrorCode::ClientMismatch])
    }

    pub(in crate::api) fn body<T: ToSchema>(
        mut self,
        media_type: &str,
        examples: &[Example<'_>],
    ) -> Self {
        self.note::<T>();
        self.body_schema(media_type, reference::<T>(), examples)
    }

    pub(in crate::api) fn body_schema(
        mut self,
        media_type: &str,
        schema: RefOr<Schema>,
        examples: &[Example<'_>],
    ) -> Self {
        let bodies = match self.described.request_body.take() {
            Some(RefOr::T(body)) => body,
            _ => RequestBody::new(),
        };
        let mut bodies = bodies;
        bodies.required = Some(Required::True);
        bodies
            .content
            .insert(media_type.to_owned(), RefOr::T(content(schema, examples)));
        self.described.request_body = Some(RefOr::T(bodies));
        self.fails_with([
            ErrorCode::InvalidRequest,
            ErrorCode::PayloadTooLarge,
            ErrorCode::UnsupportedMediaType,
        ])
    }

    pub(in crate::api) fn optional_body(mut self) -> Self {
        if let Some(RefOr::T(body)) = &mut self.described.request_body {
            body.required = Some(Required::False);
        }
        self
    }

    pub(in crate::api) fn in_path<T: ToSchema>(mut self, name: &str, example: &str) -> Self {
        self.note::<T>();
        self.parameter(
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Path)
                .required(Required::True)
                .schema(Some(reference::<T>()))
                .example(Some(json!(example)))
                .build(),
        )
    }

    pub(in crate::api) fn in_query(
        self,
        name: &str,
        required: bool,
        schema: impl Into<RefOr<Schema>>,
        description: &str,
        example: Value,
    ) -> Self {
        let required = if required {
            Required::True
        } else {
            Required::False
        };
        self.fails_with([ErrorCode::InvalidRequest]).parameter(
            ParameterBuilder::new()
                .name(name)
                .parameter_in(ParameterIn::Query)
                .required(required)
                .schema(Some(schema))
                .description((!description.is_empty()).then_some(description))
                .example(Some(example))
                .build(),
        )
    }

    fn parameter(mut self, parameter: Parameter) -> Self {
        let parameters = self.described.parameters.get_or_insert_default();
        parameters.push(parameter.into());
        self
    }

    /// The answer to a request that succeeds.
    pub(in crate::api) fn answers<T: ToSchema>(
        self,
        description: &str,
        examples: &[Example<'_>],
    ) -> Self {
        self.answers_with::<T>("200", description, examples)
    }

    pub(in crate::api) fn answers_with<T: ToSchema>(
        mut self,
        status: &str,
        description: &str,
        examples: &[Example<'_>],
    ) -> Self {
        push::<T>(&mut self.answers);
        let response = success(description).content(JSON, content(reference::<T>(), examples));
        self.respond(status, response.build())
    }

    /// The same answer in another form.
    pub(in crate::api) fn answers_also(mut self, media_type: &str, description: &str) -> Self {
        if let Some(RefOr::T(response)) = self.described.responses.responses.get_mut("200") {
            let schema = ObjectBuilder::new()
                .schema_type(Type::String)
                .description(Some(description));
            let content = ContentBuilder::new().schema(Some(schema)).build();
            response
                .content
                .insert(media_type.to_owned(), RefOr::T(content));
            let link = Ref::new("#/components/headers/Link");
            response.headers.insert("Link".to_owned(), RefOr::Ref(link));
        }
        self
    }

    /// An answer with nothing secret in it, which need not be fetched each time.
    pub(in crate::api) fn may_be_kept(mut self) -> Self {
        let kept = HeaderBuilder::new()
            .schema(Some(plain()))
            .description(Some("For how many seconds the answer may be kept."))
            .example(Some(json!("public, max-age=300")))
            .build();
        for response in self.described.responses.responses.values_mut() {
            if let RefOr::T(response) = response {
                let kept = RefOr::T(kept.clone());
                response.headers.insert("Cache-Control".to_owned(), kept);
            }
        }
        self
    }

    pub(in crate::api) fn answers_nothing(self, description: &str) -> Self {
        self.respond("204", success(description).build())
    }

    pub(in crate::api) fn respond(mut self, status: &str, response: Response) -> Self {
        self.described
            .responses
            .responses
            .insert(status.to_owned(), response.into());
        self
    }

    pub(in crate::api) fn fails_with(
        mut self,
        errors: impl IntoIterator<Item = ErrorCode>,
    ) -> Self {
        for error in errors {
            if !self.errors.contains(&error) {
                self.errors.push(error);
            }
        }
        self
    }

    /// A code is judged.
    pub(in crate::api) fn judges(self) -> Self {
        self.fails_with(JUDGED)
    }

    /// It takes something from a user, so it may ask for a fresh code, and judges one that was sent.
    pub(in crate::api) fn steps_up(mut self) -> Self {
        self.note::<GuessedCode>();
        self.note::<ChallengeId>();
        self.note::<UsedCredential>();
        self.judges().fails_with([
            ErrorCode::StepUpRequired,
            ErrorCode::MethodNotUsed,
            ErrorCode::UserNotFound,
            ErrorCode::MfaNotEnabled,
            ErrorCode::RateLimited,
        ])
    }

    /// Has the document hold `T` and all it refers to.
    pub(in crate::api) fn note<T: ToSchema>(&mut self) {
        push::<T>(&mut self.schemas);
    }

    pub(in crate::api) fn add_to(mut self, paths: &mut Paths, components: &mut Components) {
        push::<Body>(&mut self.answers);
        if self.takes_a_key {
            for response in self.described.responses.responses.values_mut() {
                if let RefOr::T(response) = response {
                    add_headers(response, ["Idempotent-Replayed"]);
                }
            }
        }
        let mut by_status: BTreeMap<u16, Vec<ErrorCode>> = BTreeMap::new();
        for error in self.errors {
            by_status.entry(error.status()).or_default().push(error);
        }
        for (status, errors) in by_status {
            // One component for each set of errors, whichever operations have it.
            let names: Vec<String> = errors
                .iter()
                .map(|error| component_name(error.name()))
                .collect();
            let name = names.join("Or");
            let reference = Ref::from_response_name(&name);
            let responses = &mut self.described.responses.responses;
            responses.insert(status.to_string(), RefOr::Ref(reference));
            components
                .responses
                .insert(name, error_response(&errors).into());
        }
        complete(&mut self.answers);
        components.schemas.extend(self.answers);
        components.schemas.extend(self.schemas);
        let item = PathItem::new(self.method, self.described);
        match paths.paths.get_mut(self.path) {
            Some(present) => present.merge_operations(item),
            None => {
                paths.paths.insert(self.path.to_owned(), item);
            }
        }
    }
}

/// What is sent to us in the same form, and may then leave out what is null.
const SENT_AS_WELL: [&str; 1] = ["Brand"];

/// Answers leave nothing out: what may be null is there, and null.
fn complete(answers: &mut [(String, RefOr<Schema>)]) {
    let told = |(name, _): &&mut (String, RefOr<Schema>)| !SENT_AS_WELL.contains(&name.as_str());
    for (_, schema) in answers.iter_mut().filter(told) {
        let RefOr::T(Schema::Object(object)) = schema else {
            continue;
        };
        for (name, property) in &object.properties {
            let null = serde_json::to_string(property).is_ok_and(|text| text.contains("\"null\""));
            if null && !object.required.contains(name) {
                object.required.push(name.clone());
            }
        }
    }
}

pub(in crate::api) fn success(description: &str) -> ResponseBuilder {
    let mut response = ResponseBuilder::new().description(description).build();
    add_headers(&mut response, ["Cache-Control", "X-Request-Id"]);
    response.into()
}

/// The answer to a request that fails in one of these ways, which all have one status.
fn error_response(errors: &[ErrorCode]) -> Response {
    let texts: Vec<String> = errors
        .iter()
        .map(|error| format!("`{}`: {}", error.name(), error.meaning()))
        .collect();
    let description = match texts.as_slice() {
        [only] => only.clone(),
        several => format!("- {}", several.join("\n- ")),
    };
    let examples = errors.iter().map(|error| {
        let example = ExampleBuilder::new().value(Some(example(*error))).build();
        (error.name().to_owned(), RefOr::T(example))
    });
    let codes = errors.iter().map(|error| json!(error.name()));
    let narrowed = ObjectBuilder::new().property("error", one_of("", codes));
    let mut schema = AllOf::new();
    schema.items = vec![reference::<Body>(), narrowed.into()];
    let content = ContentBuilder::new()
        .schema(Some(Schema::AllOf(schema)))
        .examples_from_iter(examples)
        .build();
    let mut response = ResponseBuilder::new()
        .description(description)
        .content(JSON, content)
        .build();
    add_headers(&mut response, ["Cache-Control", "X-Request-Id"]);
    let set: Vec<String> = errors
        .iter()
        .flat_map(|error| {
            headers(&error.example())
                .keys()
                .map(ToString::to_string)
                .collect::<Vec<_>>()
        })
        .collect();
    for (name, header) in [
        ("retry-after", "Retry-After"),
        ("www-authenticate", "WWW-Authenticate"),
    ] {
        if set.iter().any(|set| set == name) {
            add_headers(&mut response, [header]);
        }
    }
    if errors.contains(&ErrorCode::MethodNotAllowed) {
        add_headers(&mut response, ["Allow"]);
    }
    response
}

fn example(error: ErrorCode) -> Value {
    let mut body = json!(body(&error.example()));
    let url = documentation_url("https://mfa.example.com", error);
    if let Some(body) = body.as_object_mut() {
        body.insert("documentation_url".to_owned(), url.into());
    }
    body
}

fn add_headers<const N: usize>(response: &mut Response, names: [&str; N]) {
    for name in names {
        let header = Ref::new(format!("#/components/headers/{name}"));
        response.headers.insert(name.to_owned(), RefOr::Ref(header));
    }
}

fn content(schema: RefOr<Schema>, examples: &[Example<'_>]) -> Content {
    // Numbered, since they are shown in the order of their keys and the first is the one that is sent.
    let examples = examples.iter().zip(1..).map(|((summary, value), number)| {
        let words = summary
            .to_lowercase()
            .replace(|c: char| !c.is_ascii_alphanumeric(), "_");
        let example = ExampleBuilder::new()
            .summary(*summary)
            .value(Some(value.clone()))
            .build();
        (format!("{number}_{words}"), RefOr::T(example))
    });
    ContentBuilder::new()
        .schema(Some(schema))
        .examples_from_iter(examples)
        .build()
}

/// `invalid_code` as the name of a component: `InvalidCode`.
fn component_name(code: &str) -> String {
    let capital = |word: &str| {
        let (first, rest) = word.split_at(1);
        first.to_ascii_uppercase() + rest
    };
    code.split('_').map(capital).collect()
}
