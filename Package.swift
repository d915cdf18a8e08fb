// swift-tools-version: 6.2
// Silt: delta checkpoints. Targets stand in the order of their layer; imports go down only (Docs/Architecture.md).
import PackageDescription

/// Continuous integration sets this: every warning is an error.
let isStrict = Context.environment["SILT_STRICT"] != nil

/// One list for every Swift target, so that no target is held to less than another.
let settings: [SwiftSetting] =
    [
        .swiftLanguageMode(.v6),
        .strictMemorySafety(),
        .enableUpcomingFeature("ExistentialAny"),
        .enableUpcomingFeature("InternalImportsByDefault"),
        .enableUpcomingFeature("MemberImportVisibility"),
    ] + (isStrict ? [.treatAllWarnings(as: .error)] : [])

/// C is held to the same: all of the usual warnings.
let cSettings: [CSetting] =
    [.enableWarning("all"), .enableWarning("extra")] + (isStrict ? [.treatAllWarnings(as: .error)] : [])

let arguments = Target.Dependency.product(name: "ArgumentParser", package: "swift-argument-parser")
let logging = Target.Dependency.product(name: "Logging", package: "swift-log")

let package = Package(
    name: "silt",
    platforms: [.macOS(.v15)],
    products: [
        .library(name: "Silt", targets: ["Silt"]),
        .library(name: "Safetensors", targets: ["Safetensors"]),
        .executable(name: "silt", targets: ["SiltCommand"]),
    ],
    dependencies: [
        .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
        .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    ],
    targets: [
        // Level 0: C.
        .systemLibrary(
            name: "CZstd", pkgConfig: "libzstd", providers: [.apt(["libzstd-dev"]), .brew(["zstd"])]),
        .systemLibrary(name: "CMalloc"),
        .systemLibrary(name: "CLZ4", pkgConfig: "liblz4", providers: [.apt(["liblz4-dev"]), .brew(["lz4"])]),
        .systemLibrary(
            name: "CXXHash", pkgConfig: "libxxhash", providers: [.apt(["libxxhash-dev"]), .brew(["xxhash"])]),
        .systemLibrary(
            name: "COpenBLAS", pkgConfig: "openblas", providers: [.apt(["libopenblas-dev"]), .brew(["openblas"])]),
        .systemLibrary(
            name: "CCrypto", pkgConfig: "libcrypto", providers: [.apt(["libssl-dev"]), .brew(["openssl@3"])]),
        .target(name: "CSiltKernels", cSettings: cSettings),
        // Level 1: words that every layer uses.
        .target(name: "TensorTypes", dependencies: ["CCrypto", "CSiltKernels", "CXXHash"], swiftSettings: settings),
        // Level 2: files; span-to-span arithmetic; entropy coding. None knows of the others.
        .target(name: "TensorFiles", dependencies: ["TensorTypes"], swiftSettings: settings),
        .target(name: "DeltaKernels", dependencies: ["CSiltKernels", "TensorTypes"], swiftSettings: settings),
        .target(
            name: "DeltaCodecs", dependencies: ["CLZ4", "CSiltKernels", "CZstd", "TensorTypes"],
            swiftSettings: settings),
        // Level 3: checkpoints as the field stores them; what of a delta to keep.
        .target(name: "Safetensors", dependencies: ["TensorFiles", "TensorTypes"], swiftSettings: settings),
        .target(
            name: "DeltaPruning", dependencies: ["COpenBLAS", "DeltaKernels", "TensorTypes"], swiftSettings: settings),
        // Level 4: the container of Formats/Silt.md.
        .target(
            name: "SiltFormat", dependencies: ["DeltaCodecs", "Safetensors", "TensorFiles", "TensorTypes"],
            swiftSettings: settings),
        // Level 5: models as the field runs them, to measure what became of one.
        .target(
            name: "Transformers",
            dependencies: [
                "COpenBLAS", "CSiltKernels", "DeltaKernels", "DeltaPruning", "Safetensors", "TensorTypes",
            ],
            swiftSettings: settings),
        // Level 6: the library.
        .target(
            name: "Silt",
            dependencies: [
                "DeltaCodecs", "DeltaKernels", "DeltaPruning", "Safetensors", "SiltFormat", "TensorFiles",
                "TensorTypes", "Transformers", logging,
            ],
            swiftSettings: settings),
        // Level 7: pages about what the library found.
        .target(name: "SiltReports", dependencies: ["Silt", "TensorTypes"], swiftSettings: settings),
        // Level 8: the command.
        .executableTarget(
            name: "SiltCommand",
            dependencies: ["CMalloc", "Silt", "SiltReports", "TensorTypes", arguments, logging],
            swiftSettings: settings),
        // Tests, and what they share.
        .target(
            name: "TestSupport", dependencies: ["TensorTypes"], path: "Tests/TestSupport", swiftSettings: settings),
        .testTarget(
            name: "TensorTypesTests", dependencies: ["TensorTypes", "TestSupport"], swiftSettings: settings),
        .testTarget(
            name: "TensorFilesTests", dependencies: ["TensorFiles", "TensorTypes", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "DeltaKernelsTests",
            dependencies: ["CSiltKernels", "DeltaCodecs", "DeltaKernels", "TensorTypes", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "DeltaCodecsTests", dependencies: ["CSiltKernels", "DeltaCodecs", "TensorTypes", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "DeltaPruningTests", dependencies: ["DeltaKernels", "DeltaPruning", "TensorTypes", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "SafetensorsTests", dependencies: ["Safetensors", "TensorFiles", "TensorTypes", "TestSupport"],
            swiftSettings: settings),
        .testTarget(
            name: "SiltFormatTests",
            dependencies: [
                "CSiltKernels", "DeltaCodecs", "Safetensors", "Silt", "SiltFormat", "TensorFiles", "TensorTypes",
                "TestSupport", logging,
            ],
            swiftSettings: settings),
        .testTarget(
            name: "TransformersTests",
            dependencies: [
                "CSiltKernels", "Safetensors", "TensorTypes", "TestSupport", "Transformers",
            ],
            swiftSettings: settings),
        .testTarget(
            name: "SiltTests",
            dependencies: [
                "DeltaPruning", "Safetensors", "Silt", "SiltFormat", "TensorFiles", "TensorTypes", "TestSupport",
                "Transformers", logging,
            ],
            exclude: ["Sizes.csv"], swiftSettings: settings),
        .testTarget(
            name: "SiltReportsTests", dependencies: ["Silt", "SiltReports", "TensorTypes", "TestSupport", logging],
            swiftSettings: settings),
        .testTarget(
            name: "SiltCommandTests",
            dependencies: ["Silt", "SiltCommand", "TensorTypes", "TestSupport", arguments, logging],
            swiftSettings: settings),
    ]
)
