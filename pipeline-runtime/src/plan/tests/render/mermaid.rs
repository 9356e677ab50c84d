//! The plan as a flowchart.

use super::*;

#[test]
fn everything_as_a_flowchart() {
    expect![[r#"
        ---
        title: "everything"
        ---
        flowchart TD
            n0{{"daily_export"}}
            n1{"route"}
            n2(["route.clean"])
            n3(["route.quarantine"])
            n4(["route.nothing"])
            n5["load"]
            n6(["load.failure"])
            n7["repair"]
            n8["quarantine"]
            n9["folders"]
            n15[["each(each(upload))"]]
            subgraph s1["each element of folders"]
                n10(["each(each(upload)).element"])
                n11["list"]
                n14[["each(upload)"]]
                subgraph s2["each element of list"]
                    n12(["each(upload).element"])
                    n13["upload"]
                end
            end
            n16["mirror"]
            n17["mirror__2"]
            n18(["first_of"])
            n19["report"]
            n0 --> n1
            n1 --> n2
            n1 --> n3
            n1 --> n4
            n2 --> n5
            n5 -->|"all_failed"| n6
            n6 --> n7
            n3 --> n8
            n0 -.-> n9
            n9 --> n10
            n10 --> n11
            n11 --> n12
            n12 --> n13
            n13 --> n14
            n14 --> n15
            n16 -->|"one_success"| n18
            n17 -->|"one_success"| n18
            n5 -->|"none_failed"| n19
            n15 -->|"all_done"| n19
            n18 --> n19
            n5 -.-> n19
    "#]]
    .assert_eq(&plan(&everything()).to_mermaid());
}

#[test]
fn no_id_is_markup_in_a_flowchart() {
    #[pipeline]
    fn nightly() {
        rows().named("_private_");
        rows().named("a__b");
        rows().named("größe.2");
        rows().named("end");
    }
    expect![[r##"
        ---
        title: "nightly"
        ---
        flowchart TD
            n0["#95;private#95;"]
            n1["a__b"]
            n2["größe.2"]
            n3["end"]
    "##]]
    .assert_eq(&plan(&nightly()).to_mermaid());
}
