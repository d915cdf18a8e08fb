import Foundation
package import TensorTypes

/// A directory that goes away with this object.
package final class TemporaryDirectory: Sendable {
    package let path: String

    package init() throws {
        path = FileManager.default.temporaryDirectory.path + "/silt-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of `name` in it.
    package func callAsFunction(_ name: String) -> String { path + "/" + name }

    /// Writes a file, with the directories that lead to it.
    package func write(_ bytes: [UInt8], to name: String) throws {
        let parent = URL(fileURLWithPath: self(name)).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: self(name)))
    }

    package func read(_ name: String) -> [UInt8]? { FileManager.default.contents(atPath: self(name)).map(Array.init) }

    package func makeDirectory(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: self(name), withIntermediateDirectories: true)
    }

    package func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: self(name), withDestinationPath: target)
    }

    package func makePipe(_ name: String) { _ = unsafe mkfifo(self(name), 0o600) }

    package func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: self(name)) }

    /// All names at the top, hidden ones too, sorted.
    package var names: [String] { ((try? FileManager.default.contentsOfDirectory(atPath: path)) ?? []).sorted() }

    package func isLink(_ name: String) -> Bool {
        (try? FileManager.default.destinationOfSymbolicLink(atPath: self(name))) != nil
    }

    package func permissions(_ name: String) -> Int? {
        (try? FileManager.default.attributesOfItem(atPath: self(name)))?[.posixPermissions] as? Int
    }
}

/// The class of the error that `body` throws; nil if it throws none.
package func code(_ body: () throws -> Void) -> SiltError.Code? { failure(body)?.code }

/// The error that `body` throws; nil if it throws none.
package func failure(_ body: () throws -> Void) -> SiltError? {
    do {
        try body()
        return nil
    } catch {
        return error as? SiltError
    }
}
