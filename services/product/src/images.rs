//! Where images of products are uploaded to: the interface an object storage will stand behind. The service hands out
//! places to upload to and never carries an image itself.

use shop_contract::api::product::{ImageUpload, NewImage};
use uuid::Uuid;

pub trait Images: Send + Sync + 'static {
    /// A place for one image of a product, signed so that nothing else fits it.
    fn presign(&self, product: Uuid, image: &NewImage) -> Result<ImageUpload, NotConfigured>;
}

/// No object storage is configured.
#[derive(Clone, Copy, Debug)]
pub struct NotConfigured;

impl Images for NotConfigured {
    fn presign(&self, _product: Uuid, _image: &NewImage) -> Result<ImageUpload, NotConfigured> {
        Err(NotConfigured)
    }
}
