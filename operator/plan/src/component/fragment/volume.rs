//! Volumes and where they are mounted; [`Mounted`] keeps the two lists of a pod from drifting apart.

use k8s_openapi::api::core::v1::{
    ConfigMapVolumeSource, EmptyDirVolumeSource, KeyToPath, SecretVolumeSource, Volume, VolumeMount,
};
use k8s_openapi::apimachinery::pkg::api::resource::Quantity;

/// Runs the words after it once no other container holds the volume. A force-deleted pod's successor starts while the old
/// container still shuts down on the same node; two servers on one folder would destroy it, and Patroni would take the
/// old member's lock for its own instead of letting the standby take over.
pub fn alone_on(volume: &str) -> Vec<String> {
    vec!["/usr/bin/flock".into(), "--no-fork".into(), format!("{volume}/.in-use")]
}

/// The volumes of a pod, with the path each has in every container.
#[derive(Clone, Default)]
pub struct Mounted {
    pub volumes: Vec<Volume>,
    pub mounts: Vec<VolumeMount>,
}

impl Mounted {
    /// A writable folder that goes with the pod.
    pub fn scratch(mut self, name: &str, path: &str) -> Self {
        self.volumes.push(Volume {
            name: name.into(),
            empty_dir: Some(EmptyDirVolumeSource::default()),
            ..Volume::default()
        });
        self.mount(name, path, false)
    }

    /// A writable folder in memory, counted against the container's limit.
    pub fn memory(mut self, name: &str, path: &str, limit: &str) -> Self {
        let source = EmptyDirVolumeSource {
            medium: Some("Memory".into()),
            size_limit: Some(Quantity(limit.into())),
        };
        self.volumes.push(Volume {
            name: name.into(),
            empty_dir: Some(source),
            ..Volume::default()
        });
        self.mount(name, path, false)
    }

    pub fn config(mut self, name: &str, config_map: &str, path: &str) -> Self {
        let source = ConfigMapVolumeSource {
            name: config_map.into(),
            ..ConfigMapVolumeSource::default()
        };
        self.volumes.push(Volume {
            name: name.into(),
            config_map: Some(source),
            ..Volume::default()
        });
        self.mount(name, path, true)
    }

    /// One key of a Secret as a file of the same name.
    pub fn secret_key(mut self, name: &str, secret: &str, key: &str, path: &str) -> Self {
        let source = SecretVolumeSource {
            secret_name: Some(secret.into()),
            items: Some(vec![KeyToPath {
                key: key.into(),
                path: key.into(),
                mode: None,
            }]),
            ..SecretVolumeSource::default()
        };
        self.volumes.push(Volume {
            name: name.into(),
            secret: Some(source),
            ..Volume::default()
        });
        self.mount(name, path, true)
    }

    /// The claim of the same name, which the StatefulSet's template makes.
    pub fn claim(self, name: &str, path: &str) -> Self {
        self.mount(name, path, false)
    }

    fn mount(mut self, name: &str, path: &str, read_only: bool) -> Self {
        self.mounts.push(VolumeMount {
            name: name.into(),
            mount_path: path.into(),
            read_only: read_only.then_some(true),
            ..VolumeMount::default()
        });
        self
    }
}
