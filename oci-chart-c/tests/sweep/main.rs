//! Every function of the header, with every argument that can be wrong: NULL, bytes that are no text, numbers without meaning. None may crash, each has to
//! name the argument, and out-parameters stay as they were. The functions are called by what the committed header says of them.

#![cfg(all(target_os = "linux", target_pointer_width = "64"))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "tests")]

#[path = "../c_header/mod.rs"]
mod c_header;
mod functions;
mod world;

use std::{
    ffi::{CStr, CString},
    ptr,
};

use c_header::{Function, Header, Parameter};
use functions::address;
use oci_chart::*;
use world::{POISON, World};

/// More arguments than any function has: what a function does not take lies in registers, and on the stack, for nobody.
const MOST: usize = 12;

#[test]
fn the_list_of_functions_is_the_headers() {
    let mut known: Vec<_> = functions::ALL.iter().map(|(name, _)| *name).collect();
    known.sort_unstable();
    let header = functions();
    let mut wanted: Vec<_> = header.iter().map(|function| function.name.as_str()).collect();
    wanted.sort_unstable();
    assert_eq!(known, wanted, "tests/sweep/functions.rs is not the header's list");
    assert!(header.iter().all(|function| function.parameters.len() <= MOST));
}

#[test]
fn null_is_answered_wherever_it_may_not_be() {
    let mut world = World::new();
    let mut answered = 0;
    for function in functions() {
        for (at, parameter) in function.parameters.iter().enumerate() {
            if parameter.name == "err" || !parameter.is_pointer() {
                continue;
            }
            let called = call(&mut world, &function, |arguments| {
                arguments[at] = 0;
                // What is not there has no bytes where it may be missing.
                if function.may_be_null().contains(&parameter.name) && function.has_length(at) {
                    arguments[at + 1] = 0;
                }
            });
            if !function.returns_status() {
                assert_eq!(called.answer, 0, "{}({} = NULL)", function.name, parameter.name);
                continue;
            }
            let is_null = called.message.contains(&format!("`{}` is NULL", parameter.name));
            if function.may_be_null().contains(&parameter.name) {
                assert!(!is_null, "{}: `{}` may be NULL, says the comment", function.name, parameter.name);
                continue;
            }
            let at = format!("{}({} = NULL): {}", function.name, parameter.name, called.message);
            assert_eq!(called.answer as i32, oci_chart_status::InvalidInput as i32, "{at}");
            assert!(is_null || called.message.contains(&format!("(argument: {})", parameter.name)), "{at}");
            called.expect_untouched(&at);
            answered += 1;
        }
    }
    assert!(answered > 200, "only {answered} cases");
}

#[test]
fn a_missing_place_for_the_error_is_fine() {
    let mut world = World::new();
    for function in functions().into_iter().filter(Function::returns_status) {
        let last = function.parameters.len() - 1;
        let Some(first) = function.parameters.iter().position(|parameter| {
            parameter.is_pointer() && !function.may_be_null().contains(&parameter.name)
        }) else {
            continue;
        };
        if first == last {
            continue;
        }
        let called = call(&mut world, &function, |arguments| (arguments[first], arguments[last]) = (0, 0));
        assert_eq!(called.answer as i32, oci_chart_status::InvalidInput as i32, "{}", function.name);
    }
}

#[test]
fn bytes_that_are_no_text_are_answered() {
    let mut world = World::new();
    let bad = CString::new(b"oci-layout:/a\xFF\xFE".as_slice()).unwrap();
    let mut answered = 0;
    for function in functions().into_iter().filter(Function::returns_status) {
        for (at, parameter) in function.parameters.iter().enumerate() {
            if parameter.kind != "const char *" {
                continue;
            }
            let called = call(&mut world, &function, |arguments| arguments[at] = bad.as_ptr() as usize);
            let said = format!("{}({}): {}", function.name, parameter.name, called.message);
            assert_eq!(called.answer as i32, oci_chart_status::InvalidInput as i32, "{said}");
            assert!(called.message.contains(&format!("`{}` is not UTF-8", parameter.name)), "{said}");
            called.expect_untouched(&said);
            answered += 1;
        }
    }
    assert!(answered > 80, "only {answered} cases");
}

#[test]
fn numbers_without_meaning_are_answered() {
    let mut world = World::new();
    let mut answered = 0;
    for function in functions().into_iter().filter(Function::returns_status) {
        for (at, parameter) in function.parameters.iter().enumerate() {
            if parameter.kind != "int32_t" {
                continue;
            }
            for number in [99_i32, -1, i32::MIN] {
                let called = call(&mut world, &function, |arguments| arguments[at] = number as u32 as usize);
                let said = format!("{}({} = {number}): {}", function.name, parameter.name, called.message);
                assert_eq!(called.answer as i32, oci_chart_status::InvalidInput as i32, "{said}");
                assert!(called.message.contains(&number.to_string()), "{said}");
                answered += 1;
            }
        }
    }
    assert!(answered >= 9, "only {answered} cases");
}

#[test]
fn whatever_fails_leaves_its_places_alone() {
    let mut world = World::new();
    let (mut failed, mut worked) = (0, 0);
    for function in functions().into_iter().filter(Function::returns_status) {
        let called = call(&mut world, &function, |_| {});
        let said = format!("{}: {}", function.name, called.message);
        if called.answer as i32 == oci_chart_status::Ok as i32 {
            worked += 1;
            for (parameter, place) in function.parameters.iter().zip(&called.places) {
                let is_out = parameter.is_out() && parameter.name != "err";
                assert!(!is_out || *place != POISON, "{said}: {} was not set", parameter.name);
                release(parameter, *place);
            }
        } else {
            failed += 1;
            called.expect_untouched(&said);
        }
    }
    assert!(failed > 10 && worked > 60, "{failed} failed, {worked} worked");
}

#[test]
fn freeing_nothing_is_fine() {
    let frees = functions().into_iter().filter(|function| function.name.ends_with("_free"));
    for function in frees {
        // SAFETY: NULL may be freed.
        unsafe { raw(&function.name)(0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) };
    }
}

/// How a call ended.
struct Called {
    answer: usize,
    message: String,
    /// What the places of out-parameters hold, by parameter.
    places: Vec<usize>,
}

impl Called {
    fn expect_untouched(&self, said: &str) {
        assert!(self.places.iter().all(|place| *place == POISON), "{said}: a place was written");
    }
}

fn functions() -> Vec<Function> {
    let mut all = Header::committed().functions;
    all.retain(|function| !function.name.starts_with("oci_chart_testing_"));
    all
}

/// Calls a function with good arguments, but for what `spoil` changes. What is freed is freed with NULL alone.
fn call(world: &mut World, function: &Function, spoil: impl FnOnce(&mut [usize])) -> Called {
    let mut places = vec![POISON; MOST];
    let mut arguments = [0; MOST];
    let mut err: *mut oci_chart_error = ptr::null_mut();
    for (at, parameter) in function.parameters.iter().enumerate() {
        arguments[at] = match parameter.name.as_str() {
            "err" => (&raw mut err) as usize,
            _ if function.name.ends_with("_free") => 0,
            _ => world.good(function, parameter, &mut places, at),
        };
    }
    spoil(&mut arguments);
    let [a, b, c, d, e, f, g, h, i, j, k, l] = arguments;
    // SAFETY: good arguments, but for what the function has to notice.
    let answer = unsafe { raw(&function.name)(a, b, c, d, e, f, g, h, i, j, k, l) };
    let answer = if function.returns_status() || function.returns.starts_with("int32_t") {
        answer as u32 as usize
    } else if function.returns == "void" {
        0
    } else {
        answer
    };
    let mut message = String::new();
    if !err.is_null() {
        // SAFETY: an error that the call made.
        unsafe {
            message = CStr::from_ptr(oci_chart_error_get_message(err)).to_str().unwrap().to_owned();
            assert_eq!(oci_chart_error_get_status(err) as usize, answer);
            oci_chart_error_free(err);
        }
    }
    Called { answer, message, places }
}

type Raw = unsafe extern "C" fn(
    usize,
    usize,
    usize,
    usize,
    usize,
    usize,
    usize,
    usize,
    usize,
    usize,
    usize,
    usize,
) -> usize;

/// The function of that name, as one that takes registers.
fn raw(name: &str) -> Raw {
    // SAFETY: on these systems every argument of these functions is one register or one place on the stack, and what is given beyond is not looked at.
    unsafe { std::mem::transmute::<*const (), Raw>(address(name)) }
}

/// Frees what a call gave.
fn release(parameter: &Parameter, place: usize) {
    let free = match parameter.kind.as_str() {
        "char **" => "oci_chart_string_free".to_owned(),
        kind if kind.ends_with("**") && parameter.name != "err" => {
            format!("{}_free", kind.trim_end_matches(" **"))
        }
        _ => return,
    };
    // SAFETY: what the call gave, once.
    unsafe { raw(&free)(place, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0) };
}
