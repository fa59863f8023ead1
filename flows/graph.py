"""Directed graphs of actions: reach, cycles and longest paths, each in time linear in nodes and edges."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence

Graph = Mapping[str, Collection[str]]


def find_reachable(graph: Graph, starts: Iterable[str]) -> set[str]:
    """Every node on a path from one of the starts, the starts included."""
    waiting = [start for start in starts if start in graph]
    found = set(waiting)
    while waiting:
        for node in graph[waiting.pop()]:
            if node in graph and node not in found:
                found.add(node)
                waiting.append(node)
    return found


def find_nearest(graph: Graph, targets: Iterable[str]) -> dict[str, str]:
    """For each node from which one of the targets can be reached, a nearest one; a target's own is itself."""
    turned = _reverse(graph)
    nearest = {target: target for target in targets if target in graph}
    layer = list(nearest)
    while layer:
        following: list[str] = []
        for node in layer:
            for before in turned[node]:
                if before not in nearest:
                    nearest[before] = nearest[node]
                    following.append(before)
        layer = following
    return nearest


def _reverse(graph: Graph) -> dict[str, list[str]]:
    turned: dict[str, list[str]] = {node: [] for node in graph}
    for node, others in graph.items():
        for other in others:
            if other in turned:
                turned[other].append(node)
    return turned


def keep_nodes(graph: Graph, keep: Callable[[str], bool]) -> dict[str, list[str]]:
    """The part of the graph between the nodes that are kept."""
    kept = {node for node in graph if keep(node)}
    return {node: [other for other in graph[node] if other in kept] for node in graph if node in kept}


def find_components(graph: Graph) -> list[list[str]]:
    """The strongly connected components, each after every component it leads to (Tarjan, without recursion)."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    on_stack: set[str] = set()
    components: list[list[str]] = []
    for root in graph:
        if root in order:
            continue
        visits = [(root, iter(graph[root]))]
        order[root] = low[root] = len(order)
        stack.append(root)
        on_stack.add(root)
        while visits:
            node, others = visits[-1]
            for other in others:
                if other not in graph:
                    continue
                if other not in order:
                    order[other] = low[other] = len(order)
                    stack.append(other)
                    on_stack.add(other)
                    visits.append((other, iter(graph[other])))
                    break
                if other in on_stack:
                    low[node] = min(low[node], order[other])
            else:
                visits.pop()
                if visits:
                    parent = visits[-1][0]
                    low[parent] = min(low[parent], low[node])
                if low[node] == order[node]:
                    components.append(_pop_until(stack, on_stack, node))
    return components


def _pop_until(stack: list[str], on_stack: set[str], node: str) -> list[str]:
    component: list[str] = []
    while not component or component[-1] != node:
        component.append(stack.pop())
        on_stack.discard(component[-1])
    return component[::-1]


def find_cycles(graph: Graph) -> list[list[str]]:
    """The components in which something leads back to itself: every cycle lies within one of them."""
    return [nodes for nodes in find_components(graph) if len(nodes) > 1 or nodes[0] in graph[nodes[0]]]


def trace_cycle(graph: Graph, component: Sequence[str], start: str) -> list[str]:
    """A shortest cycle through `start` within its component: its nodes in order, `start` first."""
    inside = set(component)
    came_from: dict[str, str] = {}
    layer = [start]
    while layer:
        following: list[str] = []
        for node in layer:
            for other in graph[node]:
                if other == start:
                    return _walk_back(came_from, node, start)
                if other in inside and other not in came_from:
                    came_from[other] = node
                    following.append(other)
        layer = following
    return [start]


def _walk_back(came_from: Mapping[str, str], node: str, start: str) -> list[str]:
    path = [node]
    while path[-1] != start:
        path.append(came_from[path[-1]])
    return path[::-1]


def find_longest_paths(graph: Graph, weight: Callable[[str], float]) -> dict[str, tuple[float, str]]:
    """For each node of an acyclic graph: the heaviest path that ends there, its weight and the node before ("")."""
    best: dict[str, tuple[float, str]] = {}
    for component in reversed(find_components(graph)):
        (node,) = component
        before, previous = best.get(node, (0.0, ""))
        total = before + weight(node)
        best[node] = (total, previous)
        for other in graph[node]:
            if other in graph and best.get(other, (-1.0, ""))[0] < total:
                best[other] = (total, node)
    return best
