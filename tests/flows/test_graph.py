"""Graphs: reach, cycles and longest paths, held against plain definitions on random graphs."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from flows.graph import find_components, find_cycles, find_longest_paths, find_nearest, find_reachable, trace_cycle

NODES = "abcdefgh"
GRAPHS = st.fixed_dictionaries({node: st.lists(st.sampled_from(NODES), max_size=3) for node in NODES})
Graph = dict[str, list[str]]


def close(graph: Graph) -> set[tuple[str, str]]:
    """Every pair of which the second can be reached from the first in one step or more."""
    pairs = {(node, other) for node, others in graph.items() for other in others}
    while True:
        further = {(first, last) for first, middle in pairs for start, last in pairs if middle == start} - pairs
        if not further:
            return pairs
        pairs |= further


@given(GRAPHS)
def test_what_is_reachable_is_what_some_path_leads_to(graph: Graph) -> None:
    pairs = close(graph)
    assert find_reachable(graph, ["a"]) == {"a"} | {last for first, last in pairs if first == "a"}


@given(GRAPHS)
def test_components_are_what_lead_to_each_other_and_come_after_what_they_lead_to(graph: Graph) -> None:
    pairs = close(graph)
    components = find_components(graph)
    place = {node: index for index, nodes in enumerate(components) for node in nodes}
    assert sorted(place) == sorted(graph)
    for first in graph:
        for last in graph:
            together = first == last or ((first, last) in pairs and (last, first) in pairs)
            assert (place[first] == place[last]) == together
    assert all(place[other] <= place[node] for node in graph for other in graph[node])


@given(GRAPHS)
def test_a_traced_cycle_is_a_way_back(graph: Graph) -> None:
    pairs = close(graph)
    cycles = find_cycles(graph)
    assert {node for nodes in cycles for node in nodes} == {node for node in graph if (node, node) in pairs}
    for nodes in cycles:
        path = trace_cycle(graph, nodes, nodes[0])
        assert path[0] == nodes[0]
        assert all(other in graph[node] for node, other in zip(path, [*path[1:], path[0]], strict=True))


@given(GRAPHS, st.sets(st.sampled_from(NODES)))
def test_the_nearest_target_can_be_reached_and_the_others_have_none(graph: Graph, targets: set[str]) -> None:
    pairs = close(graph) | {(node, node) for node in graph}
    nearest = find_nearest(graph, targets)
    assert all((node, target) in pairs and target in targets for node, target in nearest.items())
    assert set(nearest) == {first for first, last in pairs if last in targets}


@given(GRAPHS, st.fixed_dictionaries({node: st.integers(0, 9) for node in NODES}))
def test_the_longest_path_is_the_longest_of_all(graph: Graph, weights: dict[str, int]) -> None:
    forward = {node: [other for other in others if other > node] for node, others in graph.items()}
    paths = find_longest_paths(forward, weights.__getitem__)
    longest: dict[str, int] = {}
    for node in sorted(forward):
        before = [longest[other] for other in longest if node in forward[other]]
        longest[node] = weights[node] + max(before, default=0)
    assert {node: total for node, (total, _) in paths.items()} == longest


def test_a_chain_of_ten_thousand_needs_no_recursion() -> None:
    chain = {str(number): [str(number + 1)] for number in range(10_000)} | {"10000": []}
    assert len(find_components(chain)) == 10_001
    assert find_longest_paths(chain, lambda _: 1)["10000"][0] == 10_001
