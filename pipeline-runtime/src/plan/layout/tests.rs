use super::*;
use proptest::prelude::*;

/// Two of these boxes that overlap, if there are any.
fn overlap(boxes: &[(f64, f64)]) -> Option<((f64, f64), (f64, f64))> {
    let mut sorted = boxes.to_vec();
    sorted.sort_by(|a, b| a.0.total_cmp(&b.0).then(a.1.total_cmp(&b.1)));
    let touch = |pair: &&[(f64, f64)]| (pair[0].0 - pair[1].0).abs() < 1e-6 && pair[1].1 - pair[0].1 < HEIGHT - 1e-6;
    sorted.windows(2).find(touch).map(|pair| (pair[0], pair[1]))
}

#[test]
fn a_chain_is_a_line() {
    let Drawing { boxes, width, height, edges } = draw(3, &[(0, 1), (1, 2)]);
    assert_eq!(boxes, [(0.0, 0.0), (240.0, 0.0), (480.0, 0.0)]);
    assert_eq!((width, height), (664.0, HEIGHT));
    assert_eq!(edges[0], [(184.0, 17.0), (240.0, 17.0)]);
}

#[test]
fn what_fans_out_is_centred() {
    let Drawing { boxes, .. } = draw(5, &[(0, 1), (0, 2), (0, 3), (1, 4), (2, 4), (3, 4)]);
    let y = |of: usize| boxes[of].1;
    assert!((y(0) - y(2)).abs() < 1e-6 && (y(4) - y(2)).abs() < 1e-6, "{boxes:?}");
    assert!((y(1) + y(3) - 2.0 * y(2)).abs() < 1e-6);
}

#[test]
fn crossed_edges_are_uncrossed() {
    let Drawing { boxes, .. } = draw(4, &[(0, 3), (1, 2)]);
    assert_eq!(boxes[0].1 < boxes[1].1, boxes[3].1 < boxes[2].1);
}

#[test]
fn a_long_edge_goes_around() {
    let Drawing { boxes, edges, .. } = draw(3, &[(0, 1), (1, 2), (0, 2)]);
    let passage = edges[2][1].1;
    assert!((passage - (boxes[1].1 + HEIGHT / 2.0)).abs() > HEIGHT / 2.0, "{edges:?} {boxes:?}");
}

#[test]
fn nothing_is_drawn_as_nothing() {
    assert_eq!(draw(0, &[]), Drawing { width: WIDTH, height: HEIGHT, boxes: Vec::new(), edges: Vec::new() });
}

proptest! {
    #[test]
    fn boxes_are_apart_and_edges_lead_right(boxes in 1_usize..60, pairs in prop::collection::vec((0_u32..60, 0_u32..60), 0..150)) {
        let count = index(boxes);
        let mut edges: Vec<(u32, u32)> = pairs.into_iter().map(|(a, b)| (a % count, b % count)).filter(|(a, b)| a < b).collect();
        edges.sort_unstable();
        edges.dedup();
        let drawing = draw(boxes, &edges);
        prop_assert_eq!(&drawing, &draw(boxes, &edges));
        prop_assert_eq!(overlap(&drawing.boxes), None);
        for points in &drawing.edges {
            prop_assert!(points.windows(2).all(|pair| pair[0].0 <= pair[1].0), "{:?}", points);
        }
        for (x, y) in &drawing.boxes {
            prop_assert!(*x >= 0.0 && *y >= -1e-6 && x + WIDTH <= drawing.width + 1e-6 && y + HEIGHT <= drawing.height + 1e-6);
        }
    }
}
