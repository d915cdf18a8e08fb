package import TensorTypes

/// The rules of Formats/Silt.md 4.5 for paths that come from files.
///
/// They keep a path below the directory that it is used in, on every system.
package enum RelativePath {
    /// Bytes that a path may have.
    package static let limit = 4_096
    /// Bytes that one component may have.
    package static let componentLimit = 255
    /// Components that a path may have: directories are walked with one open descriptor each.
    package static let depthLimit = 64

    /// Throws `path` unless `path` keeps the rules by itself.
    package static func check(_ path: String) throws(SiltError) {
        let bytes = path.utf8
        func refuse(_ reason: String) -> SiltError {
            SiltError(.path, "the path \"\(shown(path))\" \(reason)")
        }
        guard !bytes.isEmpty else { throw SiltError(.path, "a path is empty") }
        guard bytes.count <= limit else { throw refuse("has \(bytes.count) bytes; at most \(limit) are allowed") }
        guard !bytes.contains(where: { $0 < 32 || $0 == 127 }) else { throw refuse("has a control character") }
        guard !bytes.contains(UInt8(ascii: "\\")) else { throw refuse("has a backslash") }
        let components = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false)
        guard components.count <= depthLimit else {
            throw refuse("has \(components.count) components; at most \(depthLimit) are allowed")
        }
        for component in components {
            guard !component.isEmpty else { throw refuse("has an empty component (is it absolute?)") }
            guard component.count <= componentLimit else {
                throw refuse("has a component of \(component.count) bytes; at most \(componentLimit) are allowed")
            }
            guard !component.elementsEqual(".".utf8), !component.elementsEqual("..".utf8) else {
                throw refuse("has the component \"\(String(decoding: component, as: UTF8.self))\"")
            }
        }
    }

    /// Throws `path` unless each path keeps the rules, none appears twice and none is a directory of another.
    ///
    /// Paths are equal if their bytes are: unlike `String` does, this tells composed and decomposed accents apart.
    package static func check(all paths: [String]) throws(SiltError) {
        for path in paths { try check(path) }
        // With "/" below every other byte, a file stands right before what claims to lie in it.
        let sorted = paths.map { Array($0.utf8) }.sorted { $0.lexicographicallyPrecedes($1, by: isOrdered) }
        for (first, second) in zip(sorted, sorted.dropFirst()) where second.starts(with: first) {
            let path = String(decoding: first, as: UTF8.self)
            if first.count == second.count { throw SiltError(.path, "the path \"\(path)\" appears twice") }
            if second[first.count] == UInt8(ascii: "/") {
                let other = String(decoding: second, as: UTF8.self)
                throw SiltError(.path, "the path \"\(path)\" is a file and also a directory of \"\(other)\"")
            }
        }
    }

    private static func isOrdered(_ first: UInt8, _ second: UInt8) -> Bool {
        let slash = UInt8(ascii: "/")
        return (first == slash ? 0 : first) < (second == slash ? 0 : second)
    }

    /// A path for a message: no control characters, and not longer than a line or two.
    private static func shown(_ path: String) -> String {
        let scalars = path.unicodeScalars.prefix(200).map { $0.value < 32 || $0.value == 127 ? "\u{FFFD}" : $0 }
        return String(String.UnicodeScalarView(scalars)) + (scalars.count < path.unicodeScalars.count ? "…" : "")
    }
}
