//! Nothing of a spec is left out: sections that nobody chose get a place.

use std::collections::BTreeMap;

use super::Unit;

/// Puts every unit that nobody chose beside its nearest neighbour in file order, so that nothing is left out. Gives what was
/// put where: for each list, the ids that were added.
pub fn cover(units: &[Unit], lists: &mut [Vec<String>]) -> Vec<Vec<String>> {
    let mut added = vec![Vec::new(); lists.len()];
    if lists.is_empty() {
        return added;
    }
    let position: BTreeMap<&str, usize> =
        units.iter().enumerate().map(|(at, unit)| (unit.id.as_str(), at)).collect();
    // Only what was chosen counts as a neighbour, not what is put here.
    let chosen: Vec<(usize, usize)> = lists
        .iter()
        .enumerate()
        .flat_map(|(list, ids)| {
            ids.iter().filter_map(|id| position.get(id.as_str())).map(move |at| (*at, list))
        })
        .collect();
    for (at, unit) in units.iter().enumerate() {
        if chosen.iter().any(|(other, _)| *other == at) {
            continue;
        }
        let nearest = chosen.iter().min_by_key(|(other, list)| (other.abs_diff(at), *other, *list));
        let list = nearest.map_or(0, |(_, list)| *list);
        lists[list].push(unit.id.clone());
        added[list].push(unit.id.clone());
    }
    added
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_nobody_chose_goes_to_the_nearest() {
        let unit =
            |n: usize| Unit { id: format!("S{n}"), title: String::new(), level: 1, text: String::new() };
        let units: Vec<Unit> = (1..=4).map(unit).collect();
        let mut lists = vec![vec!["S1".to_owned()], vec!["S4".to_owned()]];
        let added = cover(&units, &mut lists);
        assert_eq!(added, [vec!["S2".to_owned()], vec!["S3".to_owned()]]);
        assert_eq!(lists.concat().len(), 4);
        let mut none = vec![Vec::new()];
        cover(&units, &mut none);
        assert_eq!(none[0].len(), 4);
    }
}
