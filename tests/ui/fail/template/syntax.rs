use pipeline_runtime::prelude::*;

#[task]
async fn archive(key: String) -> Result<()> {
    let _ = key;
    Ok(())
}

#[pipeline]
pub fn daily() {
    archive(template!("raw/{{ ds_nodash .json"));
}
