//! Packed weights: the same numbers as in the model file, kept in a file that later starts use, and that nothing which
//! happens to the file, the folder or a process can make wrong.
#![allow(clippy::unwrap_used, reason = "a test fails by panicking")]

use std::{
    fs::{self, File},
    io::{Read as _, Seek as _, SeekFrom, Write as _},
    num::NonZero,
    path::{Path, PathBuf},
    process::{Command, Stdio},
    sync::Arc,
    thread,
    time::{Duration, SystemTime},
};

use gemma4::{
    gguf::GgufFile,
    packed::{self, Origin, PackOptions, Packing},
    weights::MappedMatrix,
};
use kernels::{Activations, Compute, Format, Kernels, Needs, Pool, Product};
use test_support::synth::{Mix, Size, Spec, write_model};

mod scene;

use scene::*;

#[test]
fn products_are_those_of_the_files_own_numbers() {
    // Every set of kernels gives the bits of the definition; this is the fastest.
    let compute = Compute::new(Pool::new(2), Kernels::detect());
    let mut formats = Vec::new();
    for mix in Mix::ALL {
        let scene = Scene::of(mix);
        let weights = scene.open();
        let file = Arc::new(GgufFile::open(&scene.model).unwrap());
        for (info, id) in file.tensors().iter().filter(|info| info.shape.len() == 2).zip(plan(&file).1) {
            let matrix = weights.matrix(id);
            let (n_rows, width) = (matrix.n_rows(), matrix.width());
            if formats.contains(&(matrix.format(), width)) {
                continue;
            }
            formats.push((matrix.format(), width));
            // The product with each unit vector is a column of the matrix.
            let mut unit = vec![0f32; width * width];
            (0..width).for_each(|k| unit[k * width + k] = 1.0);
            let mut x = Activations::new(Needs::of([matrix.format()]));
            compute.quantize(&unit, width, &mut x);
            let mut columns = vec![0f32; width * n_rows];
            compute.products(&x, &mut [Product { weights: matrix, out: &mut columns }]);

            let ids: Vec<u32> = (0..n_rows as u32).collect();
            let rows = MappedMatrix::new(&file, info, n_rows, width).unwrap().rows(&ids).unwrap();
            let most = rows.iter().fold(0f32, |most, value| most.max(value.abs()));
            assert!(most > 0.0, "{}: nothing but zeros", info.name);
            for (row, values) in rows.chunks(width).enumerate() {
                for (k, value) in values.iter().enumerate() {
                    let got = columns[k * n_rows + row];
                    // 1 becomes 127 times 1/127: a few roundings of f32.
                    let limit = if matrix.format().is_float() { 0.0 } else { 2e-6 * most };
                    assert!((got - value).abs() <= limit, "{} row {row} column {k}: {got} for {value}", info.name);
                }
            }
        }
    }
    for format in Format::ALL {
        assert!(formats.iter().any(|(seen, _)| *seen == format), "no mix has {format:?}");
    }
}

#[test]
fn the_second_start_uses_the_file_of_the_first() {
    let scene = Scene::new();
    let first = scene.open_and_finish();
    let path = only_file(&scene.dirs[0]);
    assert_eq!(*first.origin(), Origin::Packed(path.clone()));
    scene.assert_right(&first);

    let second = scene.open_and_finish();
    assert_eq!(*second.origin(), Origin::Kept(path.clone()));
    scene.assert_right(&second);
    assert_eq!(first.bytes(), fs::metadata(&path).unwrap().len());
    assert!(!scene.dirs[1].exists(), "one folder is enough");
    assert!(packed::is_packed_file(&path) && !packed::is_packed_file(&scene.model));
}

#[test]
fn small_models_and_no_folder_stay_in_memory() {
    let scene = Scene::new();
    let file = Arc::new(GgufFile::open(&scene.model).unwrap());
    let weights = plan(&file).0.open(&PackOptions::new(&scene.dirs, NonZero::<usize>::MIN)).unwrap();
    assert_eq!(*weights.origin(), Origin::Memory);
    assert!(scene.dirs.iter().all(|dir| !dir.exists()));
}

#[test]
fn a_matrix_named_twice_is_packed_once_and_a_wrong_one_refused() {
    let scene = Scene::new();
    let file = Arc::new(GgufFile::open(&scene.model).unwrap());
    let mut packing = Packing::new(&file);
    let head = packing.matrix("token_embd.weight", 1024, 256).unwrap();
    assert_eq!(packing.matrix("token_embd.weight", 1024, 256).unwrap(), head);
    let wrong = packing.matrix("blk.0.attn_q.weight", 1, 256).unwrap_err();
    assert!(matches!(wrong, gemma4::Error::TensorShape { .. }), "{wrong:?}");
    let missing = packing.matrix("blk.99.attn_q.weight", 1, 256).unwrap_err();
    assert!(matches!(missing, gemma4::Error::File(_)), "{missing:?}");
    let weights = packing.open(&PackOptions::new(&[], NonZero::<usize>::MIN)).unwrap();
    assert_eq!(weights.bytes(), strips(&weights.matrix(head)).len() as u64);
}

#[test]
fn any_bit_of_the_header_matters() {
    let scene = Scene::new();
    drop(scene.open_and_finish());
    let path = only_file(&scene.dirs[0]);
    let whole = fs::read(&path).unwrap();
    let header_bytes = u32::from_le_bytes(whole[12..16].try_into().unwrap()) as usize;
    for at in (0..header_bytes).step_by(7).chain([8, 12, 16, header_bytes - 1]) {
        let mut damaged = whole.clone();
        damaged[at] ^= 1 << (at % 8);
        fs::write(&path, &damaged).unwrap();
        let weights = scene.open_and_finish();
        assert_eq!(*weights.origin(), Origin::Packed(path.clone()), "byte {at}");
        drop(weights);
        assert!(fs::read(&path).unwrap() == whole, "byte {at}");
    }
}

#[test]
fn a_file_that_ends_early_or_goes_on_is_packed_again() {
    let scene = Scene::new();
    drop(scene.open_and_finish());
    let path = only_file(&scene.dirs[0]);
    let whole = fs::read(&path).unwrap();
    let longer = [&whole[..], &[0]].concat();
    for damaged in [&[][..], &whole[..1], &whole[..40], &whole[..whole.len() - 1], &longer, b"something else"] {
        fs::write(&path, damaged).unwrap();
        let weights = scene.open_and_finish();
        assert_eq!(*weights.origin(), Origin::Packed(path.clone()), "{} bytes", damaged.len());
        scene.assert_right(&weights);
    }
}

/// Another model of the same size, with the same time of writing.
fn replace_weights(model: &Path) {
    let modified = fs::metadata(model).unwrap().modified().unwrap();
    let len = fs::metadata(model).unwrap().len();
    let aside = model.with_extension("aside");
    write_model(&aside, Spec { seed: 2, ..Spec::new(Size::Tiny, Mix::GgmlQ4KM) }).unwrap();
    fs::rename(&aside, model).unwrap();
    File::options().write(true).open(model).unwrap().set_modified(modified).unwrap();
    assert_eq!(fs::metadata(model).unwrap().len(), len);
}

#[test]
fn another_model_of_the_same_name_size_and_time_is_another_model() {
    let scene = Scene::new();
    let before = scene.expected();
    drop(scene.open_and_finish());
    let old = only_file(&scene.dirs[0]);
    replace_weights(&scene.model);
    let weights = scene.open_and_finish();
    assert!(matches!(weights.origin(), Origin::Packed(path) if *path != old), "{:?}", weights.origin());
    scene.assert_right(&weights);
    assert!(scene.expected() != before, "the other model has other weights");
    assert!(!old.exists(), "the weights of the file before are removed");
    only_file(&scene.dirs[0]);
}

#[test]
fn a_file_that_was_touched_is_packed_again_and_the_old_weights_go() {
    let scene = Scene::new();
    drop(scene.open_and_finish());
    let old = only_file(&scene.dirs[0]);
    let file = File::options().write(true).open(&scene.model).unwrap();
    file.set_modified(SystemTime::UNIX_EPOCH + Duration::from_secs(1_700_000_000)).unwrap();
    drop(scene.open_and_finish());
    assert_ne!(only_file(&scene.dirs[0]), old);
}

#[test]
fn weights_of_models_that_are_gone_are_removed_but_not_those_on_an_absent_drive() {
    let scene = Scene::new();
    let drive = scene.root.path().join("drive");
    fs::create_dir(&drive).unwrap();
    let copies = [scene.root.path().join("models/other.gguf"), drive.join("third.gguf")];
    let mut kept = Vec::new();
    for copy in &copies {
        fs::copy(&scene.model, copy).unwrap();
        let mut weights = open(copy, &scene.dirs);
        weights.finish();
        let Origin::Packed(path) = weights.origin() else { panic!("{:?}", weights.origin()) };
        kept.push(path.clone());
    }
    drop(scene.open_and_finish());
    assert_eq!(names(&scene.dirs[0]).len(), 3, "each model has its own");
    fs::remove_file(&copies[0]).unwrap();
    fs::rename(&drive, scene.root.path().join("unplugged")).unwrap();
    let weights = scene.open_and_finish();
    assert!(matches!(weights.origin(), Origin::Kept(_)));
    assert!(!kept[0].exists(), "its model is gone");
    assert!(kept[1].exists(), "its model may come back");
    assert_eq!(names(&scene.dirs[0]).len(), 2);
}

#[test]
fn a_later_versions_file_is_left_alone_and_rubbish_is_not() {
    let scene = Scene::new();
    drop(scene.open_and_finish());
    let whole = fs::read(only_file(&scene.dirs[0])).unwrap();
    let with_version = |version: u32| [&whole[..8], &version.to_le_bytes(), &whole[12..]].concat();
    let path = |digit: char| scene.dirs[0].join(format!("{}.packed", digit.to_string().repeat(16)));
    fs::write(path('1'), with_version(u32::MAX)).unwrap();
    fs::write(path('2'), with_version(0)).unwrap();
    fs::write(path('3'), "rubbish").unwrap();
    let strangers = ["notes.txt", "a.packed", "0123456789ABCDEF.packed", "photo.packed.tmp"];
    strangers.iter().for_each(|name| fs::write(scene.dirs[0].join(name), "mine").unwrap());
    drop(scene.open_and_finish());
    assert!(path('1').exists() && !path('2').exists() && !path('3').exists());
    assert!(strangers.iter().all(|name| scene.dirs[0].join(name).exists()), "files of others are theirs");
}

#[test]
fn removing_a_model_removes_its_weights_and_no_others() {
    let scene = Scene::new();
    let other = scene.root.path().join("models/other.gguf");
    fs::copy(&scene.model, &other).unwrap();
    for model in [&scene.model, &other] {
        open(model, &scene.dirs).finish();
    }
    assert_eq!(names(&scene.dirs[0]).len(), 2);
    packed::remove(&scene.model, &scene.dirs);
    let left = only_file(&scene.dirs[0]);
    fs::remove_file(&other).unwrap();
    packed::remove(&other, &scene.dirs);
    assert!(!left.exists(), "also when the model was removed before");
}

#[test]
fn folders_that_cannot_be_written_are_passed_over() {
    let scene = Scene::new();
    // Files where folders should be: nobody can write there, not even an administrator.
    fs::write(scene.root.path().join("first"), "a file").unwrap();
    let weights = scene.open_and_finish();
    assert_eq!(*weights.origin(), Origin::Packed(only_file(&scene.dirs[1])));
    scene.assert_right(&weights);
    drop(weights);
    assert_eq!(*scene.open().origin(), Origin::Kept(only_file(&scene.dirs[1])));

    fs::remove_dir_all(scene.root.path().join("second")).unwrap();
    fs::write(scene.root.path().join("second"), "a file").unwrap();
    let weights = scene.open();
    assert_eq!(*weights.origin(), Origin::Memory);
    scene.assert_right(&weights);
}

#[cfg(unix)]
#[test]
fn weights_in_a_folder_that_may_only_be_read_are_used() {
    use std::os::unix::fs::PermissionsExt as _;
    let scene = Scene::new();
    drop(scene.open_and_finish());
    let path = only_file(&scene.dirs[0]);
    fs::set_permissions(&scene.dirs[0], fs::Permissions::from_mode(0o555)).unwrap();
    let weights = scene.open_and_finish();
    assert_eq!(*weights.origin(), Origin::Kept(path));
    scene.assert_right(&weights);
    fs::set_permissions(&scene.dirs[0], fs::Permissions::from_mode(0o755)).unwrap();
}

#[test]
fn a_model_that_shrinks_while_it_is_packed_is_an_error_and_leaves_nothing() {
    let scene = Scene::new();
    let file = Arc::new(GgufFile::open(&scene.model).unwrap());
    let (packing, _) = plan(&file);
    let len = file.file_bytes();
    let shorter = File::options().write(true).open(&scene.model).unwrap();
    // Behind the samples of the fingerprint, before the end of the last matrix.
    shorter.set_len(len - 8192).unwrap();
    let options = PackOptions { file_from_bytes: 0, ..PackOptions::new(&scene.dirs, NonZero::<usize>::MIN) };
    let error = packing.open(&options).unwrap_err();
    assert!(matches!(error, gemma4::Error::ReadWeights { .. }), "{error:?}");
    assert!(scene.dirs.iter().all(|dir| names(dir).is_empty()));
}

#[test]
fn threads_that_open_at_once_pack_once() {
    let scene = Scene::new();
    let expected = scene.expected();
    let origins: Vec<Origin> = thread::scope(|scope| {
        let open = || {
            let weights = scene.open_and_finish();
            assert!(bytes(&weights, &scene.model) == expected);
            weights.origin().clone()
        };
        let threads: Vec<_> = (0..6).map(|_| scope.spawn(open)).collect();
        threads.into_iter().map(|thread| thread.join().unwrap()).collect()
    });
    let packed = origins.iter().filter(|origin| matches!(origin, Origin::Packed(_))).count();
    assert_eq!(packed, 1, "{origins:?}");
    only_file(&scene.dirs[0]);
}

/// Set in a copy of this program that opens weights: the root folder of the scene.
const CHILD_SCENE: &str = "AULA_TEST_PACKED_SCENE";
/// Set besides where it goes on for ever, removing what it packed.
const CHILD_FOREVER: &str = "AULA_TEST_PACKED_FOREVER";

/// What the copies run; nothing in an ordinary run.
#[test]
fn child() {
    let Some(root) = std::env::var_os(CHILD_SCENE).map(PathBuf::from) else { return };
    let (model, dirs) = (root.join("models/model.gguf"), [root.join("first/packed")]);
    loop {
        let mut weights = open(&model, &dirs);
        println!("opened {:?}", weights.origin());
        weights.finish();
        if std::env::var_os(CHILD_FOREVER).is_none() {
            return;
        }
        drop(weights);
        packed::remove(&model, &dirs);
    }
}

fn start_child(scene: &Scene, forever: bool) -> std::process::Child {
    let mut command = Command::new(std::env::current_exe().unwrap());
    command.args(["child", "--exact", "--nocapture"]).env(CHILD_SCENE, scene.root.path());
    if forever {
        command.env(CHILD_FOREVER, "1");
    }
    command.stdout(Stdio::piped()).spawn().unwrap()
}

fn output(mut child: std::process::Child) -> String {
    let mut text = String::new();
    child.stdout.take().unwrap().read_to_string(&mut text).unwrap();
    assert!(child.wait().unwrap().success(), "{text}");
    text
}

#[test]
fn processes_that_open_at_once_pack_once() {
    let scene = Scene::new();
    let children: Vec<_> = (0..4).map(|_| start_child(&scene, false)).collect();
    let outputs: Vec<String> = children.into_iter().map(output).collect();
    let packed = outputs.iter().filter(|text| text.contains("opened Packed")).count();
    let kept = outputs.iter().filter(|text| text.contains("opened Kept")).count();
    assert_eq!((packed, kept), (1, 3), "{outputs:?}");
    scene.assert_right(&scene.open());
}

#[test]
fn a_process_killed_while_it_packs_does_no_harm() {
    let scene = Scene::new();
    let expected = scene.expected();
    let mut unfinished = 0;
    let mut kills = 0u64;
    while unfinished < 5 && kills < 400 {
        let mut child = start_child(&scene, true);
        // Until it packs; then at another moment each time.
        let mut first_line = [0; 1];
        child.stdout.as_mut().unwrap().read_exact(&mut first_line).unwrap();
        thread::sleep(Duration::from_micros(kills * 7919 % 20_000));
        child.kill().unwrap();
        child.wait().unwrap();
        kills += 1;
        unfinished += usize::from(names(&scene.dirs[0]).iter().any(|name| name.ends_with(".tmp")));

        let weights = scene.open_and_finish();
        assert!(bytes(&weights, &scene.model) == expected, "kill {kills}");
        drop(weights);
        only_file(&scene.dirs[0]);
    }
    assert!(unfinished >= 5, "only {unfinished} of {kills} kills came while it packed");
}

#[cfg(target_os = "linux")]
#[test]
fn disks_that_are_full_or_read_only_are_passed_over() {
    // No room; room, but not for one more file; not writable.
    for options in ["size=64m", "size=1g,nr_inodes=2", "size=1g,ro"] {
        let scene = Scene::new();
        let Some(_disk) = SmallDisk::mount(&scene.dirs[0], options) else { return };
        let weights = scene.open_and_finish();
        assert_eq!(*weights.origin(), Origin::Packed(only_file(&scene.dirs[1])), "{options}");
        scene.assert_right(&weights);
        assert!(names(&scene.dirs[0]).is_empty(), "{options}");
    }
}

#[test]
fn weights_themselves_are_not_read_when_they_are_opened() {
    let scene = Scene::new();
    drop(scene.open_and_finish());
    let path = only_file(&scene.dirs[0]);
    // Damage in the weights is not looked for: opening costs the same for 1 MB and for 3 GB.
    let mut file = File::options().write(true).open(&path).unwrap();
    file.seek(SeekFrom::End(-1)).unwrap();
    file.write_all(&[0x5a]).unwrap();
    assert_eq!(*scene.open().origin(), Origin::Kept(path));
}
