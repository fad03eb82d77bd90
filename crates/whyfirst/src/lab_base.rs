//! The base model that ships with the program: the files of `assets/lab-base`, inside the binary.

use experiment::ShippedBase;

/// A file of the shipped base, with its name.
macro_rules! file {
    ($name:literal) => {
        ($name, include_bytes!(concat!("../../../assets/lab-base/", $name)) as &[u8])
    };
}

/// What `base = "lab"` means. A static, because a constant would be in the binary once per use.
pub static SHIPPED: ShippedBase = ShippedBase {
    files: &[
        file!("config.json"),
        file!("model.safetensors"),
        file!("tokenizer.json"),
        file!("tokenizer_config.json"),
        file!("chat_template.jinja"),
        file!("manifest.json"),
    ],
};
