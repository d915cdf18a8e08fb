/// Which tensors belong together in a report.
package enum LayerGroup {
    /// `encoder.layer.3.attention.self.query.weight` is in `encoder.layer.N.attention`; a name without numbers is in what
    /// its last component belongs to.
    package static func name(of tensor: String) -> String {
        let components = tensor.split(separator: ".", omittingEmptySubsequences: false).map(String.init)
        guard let number = components.firstIndex(where: isNumber) else {
            return components.count > 1 ? components.dropLast().joined(separator: ".") : tensor
        }
        // The last component says weight or bias, unless there is nothing else.
        let end = max(number + 1, min(number + 2, components.count - 1))
        return components[..<end].map { isNumber($0) ? "N" : $0 }.joined(separator: ".")
    }

    private static func isNumber(_ component: String) -> Bool {
        !component.isEmpty && component.utf8.allSatisfy { (48...57).contains($0) }
    }
}
