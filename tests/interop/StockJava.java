// SPDX-License-Identifier: Apache-2.0

// Reads the vectors with Java's own protobuf, and writes them: java StockJava.java SCHEMA
// VECTORS WRITTEN, where SCHEMA is a descriptor set. Prints the differences and exits
// with 1, or prints the number of vectors.

import com.google.protobuf.ByteString;
import com.google.protobuf.DescriptorProtos.FileDescriptorProto;
import com.google.protobuf.DescriptorProtos.FileDescriptorSet;
import com.google.protobuf.Descriptors.Descriptor;
import com.google.protobuf.Descriptors.EnumValueDescriptor;
import com.google.protobuf.Descriptors.FieldDescriptor;
import com.google.protobuf.Descriptors.FileDescriptor;
import com.google.protobuf.DynamicMessage;
import com.google.protobuf.Message;
import com.google.protobuf.util.JsonFormat;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;

public final class StockJava {
  // Field 1000, which no message has: it must survive being read and written.
  private static final ByteString UNKNOWN =
      ByteString.copyFrom(new byte[] {(byte) 0xc2, 0x3e, 3, 'a', 'b', 'c'});

  private static int failures = 0;

  private static void expect(Object place, Object expected, Object found) {
    if (!expected.equals(found)) {
      System.err.println(place + "\nexpected: " + expected + "\nfound:    " + found);
      ++failures;
    }
  }

  private static String quoted(String text) {
    return '"' + text.replace("\\", "\\\\").replace("\"", "\\\"").replace("\n", "\\n") + '"';
  }

  private static void addValue(String path, Object value, StringBuilder out) {
    if (value instanceof Message) {
      out.append(path).append(" {}\n");
      addMessage(path + ".", (Message) value, out);
      return;
    }
    String text = value.toString();
    if (value instanceof String) text = quoted((String) value);
    if (value instanceof Double) {
      text = String.format("%016x", Double.doubleToRawLongBits((Double) value));
    }
    if (value instanceof EnumValueDescriptor) {
      text = Integer.toString(((EnumValueDescriptor) value).getNumber());
    }
    out.append(path).append(' ').append(text).append('\n');
  }

  private static void addMap(String path, List<?> entries, StringBuilder out) {
    // The keys are ASCII: UTF-16 orders them like bytes.
    Map<String, Object> sorted = new TreeMap<>();
    for (Object object : entries) {
      Message entry = (Message) object;
      Descriptor type = entry.getDescriptorForType();
      sorted.put(
          (String) entry.getField(type.findFieldByNumber(1)),
          entry.getField(type.findFieldByNumber(2)));
    }
    sorted.forEach((key, value) -> addValue(path + '[' + quoted(key) + ']', value, out));
  }

  private static void addMessage(String path, Message message, StringBuilder out) {
    // Orders the fields by number.
    Map<FieldDescriptor, Object> fields = new TreeMap<>(message.getAllFields());
    fields.forEach(
        (field, value) -> {
          String name = path + field.getName();
          if (field.isMapField()) {
            addMap(name, (List<?>) value, out);
          } else if (field.isRepeated()) {
            int index = 0;
            for (Object element : (List<?>) value) addValue(name + '[' + index++ + ']', element, out);
          } else {
            addValue(name, value, out);
          }
        });
  }

  private static String valuesOf(Message message) {
    StringBuilder out = new StringBuilder();
    out.append("message ").append(message.getDescriptorForType().getFullName()).append('\n');
    addMessage("", message, out);
    return out.toString();
  }

  private static Map<String, Descriptor> readSchema(Path path) throws Exception {
    Map<String, FileDescriptor> files = new HashMap<>();
    Map<String, Descriptor> types = new HashMap<>();
    // Each file comes after those that it imports.
    for (FileDescriptorProto file : FileDescriptorSet.parseFrom(Files.readAllBytes(path)).getFileList()) {
      FileDescriptor[] imports =
          file.getDependencyList().stream().map(files::get).toArray(FileDescriptor[]::new);
      FileDescriptor built = FileDescriptor.buildFrom(file, imports);
      files.put(file.getName(), built);
      for (Descriptor type : built.getMessageTypes()) types.put(type.getFullName(), type);
    }
    return types;
  }

  private static void runVector(Map<String, Descriptor> types, String base, Path written)
      throws Exception {
    String expected = Files.readString(Path.of(base + ".values"));
    Descriptor type = types.get(expected.lines().findFirst().get().split(" ")[1]);
    ByteString binary = ByteString.copyFrom(Files.readAllBytes(Path.of(base + ".binpb")));
    DynamicMessage message = DynamicMessage.parseFrom(type, binary);
    expect(base + ".binpb", expected, valuesOf(message));

    DynamicMessage.Builder builder = DynamicMessage.newBuilder(type);
    JsonFormat.parser().merge(Files.readString(Path.of(base + ".json")), builder);
    expect(base + ".json", expected, valuesOf(builder.build()));

    DynamicMessage kept = DynamicMessage.parseFrom(type, binary.concat(UNKNOWN));
    expect(base + " with an unknown field", true, kept.toByteString().endsWith(UNKNOWN));

    Path to = written.resolve(Path.of(base).getFileName());
    Files.write(Path.of(to + ".binpb"), message.toByteArray());
    String json = JsonFormat.printer().omittingInsignificantWhitespace().print(message);
    Files.write(Path.of(to + ".json"), (json + "\n").getBytes(StandardCharsets.UTF_8));
  }

  public static void main(String[] args) throws Exception {
    Map<String, Descriptor> types = readSchema(Path.of(args[0]));
    Path written = Files.createDirectories(Path.of(args[2]));
    List<String> bases = new ArrayList<>();
    try (Stream<Path> files = Files.list(Path.of(args[1]))) {
      files
          .map(Path::toString)
          .filter(path -> path.endsWith(".values"))
          .forEach(path -> bases.add(path.substring(0, path.length() - ".values".length())));
    }
    for (String base : bases) runVector(types, base, written);
    if (failures > 0 || bases.isEmpty()) System.exit(1);
    System.out.println(bases.size() + " vectors");
  }
}
