internal import SiltAdapters
internal import Safetensors
internal import TensorTypes
internal import TestSupport

extension FuzzTarget {
    /// The JSON parser: what it takes, it writes and reads again.
    static let json = FuzzTarget("json") {
        let texts = [
            "{}", "[]", "0", "-1.5e-3", "\"a\\u00e9\\ud83d\\ude00\\n\"", "[1,2,[3,{\"a\":null}],true,false]",
            "{\"a\":{\"b\":[1.25,-0,1e400]},\"c\":\"\u{e9}\"}", " [ 9223372036854775807 , -9223372036854775808 ] ",
        ]
        let nested = String(repeating: "[", count: 31) + String(repeating: "]", count: 31)
        return (texts + [nested]).map { Array($0.utf8) } + configurations
    } body: { input in
        let value = try JSONValue(parsing: input)
        let written = value.serialized()
        guard try JSONValue(parsing: written) == value else {
            throw FuzzFailure(reason: "JSON changes when it is written")
        }
    }

    /// The header of a safetensors file; the first four bytes say how many bytes of data follow it.
    static let header = FuzzTarget("header") {
        ["tiny", "convert", "small", "ranks"].compactMap { name in
            Repository.bytes("Formats/Vectors/bases/\(name).safetensors").map { bytes in
                var output = FuzzOutput()
                let length = bytes.prefix(2).enumerated().reduce(0) { $0 | Int($1.element) << (8 * $1.offset) }
                output.word(UInt32(bytes.count - 8 - length))
                output.rest(Array(bytes[8..<8 + length]))
                return output.bytes
            }
        }
    } body: { bytes in
        var input = FuzzInput(bytes)
        let dataBytes = Int(input.word())
        let text = input.rest()
        let header = try SafetensorsHeader(text: text, fileBytes: 8 + text.count + dataBytes, file: "fuzz")
        var end = 0
        for entry in header.entries {
            guard entry.range.lowerBound == end, header[entry.name] == entry, entry.info.bytes == entry.range.count
            else {
                throw FuzzFailure(reason: "\(entry.name) is not where it is said to be")
            }
            end = entry.range.upperBound
        }
        guard end == dataBytes else { throw FuzzFailure(reason: "the data end at \(end), not \(dataBytes)") }
    }

    /// A PEFT adapter's configuration.
    static let adapterConfiguration = FuzzTarget("adapter-configuration") {
        configurations
    } body: { input in
        _ = try AdapterConfiguration(bytes: input, path: "fuzz")
    }

    /// A PEFT adapter: its configuration with its length in 16 bits, then its tensors' file.
    static let adapter = FuzzTarget("adapter") {
        peers.compactMap { peer in
            guard let configuration = Repository.bytes(peer + "/adapter_config.json"),
                let tensors = Repository.bytes(peer + "/adapter_model.safetensors")
            else { return nil }
            var output = FuzzOutput()
            output.run(configuration)
            output.rest(tensors)
            return output.bytes
        }
    } body: { bytes in
        var input = FuzzInput(bytes)
        let directory = try TemporaryDirectory()
        try directory.write(input.run(), to: "adapter_config.json")
        try directory.write(input.rest(), to: "adapter_model.safetensors")
        _ = try Adapter(directory: directory.path)
    }

    private static let peers = ["bert-headless", "gpt2", "llama-embeddings", "llama-patterns", "shira"].map {
        "Tests/Data/peers/\($0)/adapter"
    }

    private static var configurations: [[UInt8]] { peers.compactMap { Repository.bytes($0 + "/adapter_config.json") } }
}
