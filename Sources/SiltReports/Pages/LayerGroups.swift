internal import SiltReading
internal import TensorTypes

/// Tensors by what they are part of, so that thousands stay readable.
struct LayerGroups {
    /// Some tensors.
    struct Group {
        let name: String
        var layers: [FileReport.Layer]

        var bytes: Int { layers.reduce(0) { $0 + $1.tensor.bytes } }
        var lossyBytes: Int { layers.filter(\.isLossy).reduce(0) { $0 + $1.tensor.bytes } }
        var parameters: Int { layers.reduce(0) { $0 + $1.tensor.info.parameters } }
    }

    /// Groups that a page shows by themselves.
    static let limit = 16

    /// The groups with the most bytes, largest first, and whatever is in no such group.
    let shown: [Group]
    let rest: Group?

    /// Groups of `layers` in the order of their bytes; of as many, in that of the file.
    init(_ layers: [FileReport.Layer]) {
        var order: [String: Int] = [:]
        var groups: [Group] = []
        for layer in layers {
            if let index = order[layer.group] {
                groups[index].layers.append(layer)
            } else {
                order[layer.group] = groups.count
                groups.append(Group(name: layer.group, layers: [layer]))
            }
        }
        let sizes = groups.map(\.bytes)
        let sorted = groups.indices.sorted { (sizes[$1], $0) < (sizes[$0], $1) }.map { groups[$0] }
        guard sorted.count > LayerGroups.limit + 1 else {
            (shown, rest) = (sorted, nil)
            return
        }
        let others = sorted[LayerGroups.limit...]
        shown = Array(sorted.prefix(LayerGroups.limit))
        rest = Group(name: "\(Figures.counted(others.count, "more group"))", layers: others.flatMap(\.layers))
    }

    /// All of them.
    var all: [Group] { shown + (rest.map { [$0] } ?? []) }
}
