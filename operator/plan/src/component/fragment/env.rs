//! Environment variables of a container. A secret is only ever named, its value is put in by the kubelet.

use crate::task::SecretRef;
use k8s_openapi::api::core::v1::{EnvVar, EnvVarSource, ObjectFieldSelector, SecretKeySelector};

pub fn plain(name: &str, value: impl Into<String>) -> EnvVar {
    EnvVar {
        name: name.into(),
        value: Some(value.into()),
        value_from: None,
    }
}

pub fn secret(name: &str, reference: &SecretRef) -> EnvVar {
    let SecretRef { secret, key } = reference;
    let key = SecretKeySelector {
        name: secret.clone(),
        key: key.clone(),
        optional: None,
    };
    let source = EnvVarSource {
        secret_key_ref: Some(key),
        ..EnvVarSource::default()
    };
    EnvVar {
        name: name.into(),
        value: None,
        value_from: Some(source),
    }
}

/// Absent when the Secret lacks the key.
pub fn secret_if_there(name: &str, reference: &SecretRef) -> EnvVar {
    let mut variable = secret(name, reference);
    let key = variable
        .value_from
        .as_mut()
        .and_then(|source| source.secret_key_ref.as_mut());
    if let Some(key) = key {
        key.optional = Some(true);
    }
    variable
}

/// A field of the pod itself, such as `status.podIP`.
pub fn field(name: &str, path: &str) -> EnvVar {
    let field = ObjectFieldSelector {
        field_path: path.into(),
        api_version: Some("v1".into()),
    };
    let source = EnvVarSource {
        field_ref: Some(field),
        ..EnvVarSource::default()
    };
    EnvVar {
        name: name.into(),
        value: None,
        value_from: Some(source),
    }
}
