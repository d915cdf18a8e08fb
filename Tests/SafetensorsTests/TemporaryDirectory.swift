import Foundation
import TensorTypes

/// A directory that goes away with this object.
final class TemporaryDirectory {
    let path: String

    init() throws {
        path = FileManager.default.temporaryDirectory.path + "/silt-test-\(UUID().uuidString)"
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: false)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// The path of `name` in it.
    func callAsFunction(_ name: String) -> String { path + "/" + name }

    /// Writes a file, with the directories that lead to it.
    func write(_ bytes: [UInt8], to name: String) throws {
        let parent = URL(fileURLWithPath: self(name)).deletingLastPathComponent()
        try FileManager.default.createDirectory(at: parent, withIntermediateDirectories: true)
        try Data(bytes).write(to: URL(fileURLWithPath: self(name)))
    }

    func read(_ name: String) -> [UInt8]? { FileManager.default.contents(atPath: self(name)).map(Array.init) }

    func makeDirectory(_ name: String) throws {
        try FileManager.default.createDirectory(atPath: self(name), withIntermediateDirectories: true)
    }

    func link(_ name: String, to target: String) throws {
        try FileManager.default.createSymbolicLink(atPath: self(name), withDestinationPath: target)
    }

    func remove(_ name: String) throws { try FileManager.default.removeItem(atPath: self(name)) }
}

/// The class of the error that `body` throws; nil if it throws none.
func code(_ body: () throws -> Void) -> SiltError.Code? { failure(body)?.code }

/// The error that `body` throws; nil if it throws none.
func failure(_ body: () throws -> Void) -> SiltError? {
    do {
        try body()
        return nil
    } catch {
        return error as? SiltError
    }
}
