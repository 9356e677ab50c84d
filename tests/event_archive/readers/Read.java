import java.io.FileInputStream;
import java.util.zip.GZIPInputStream;

class Read {
    public static void main(String[] args) throws Exception {
        try (var in = new GZIPInputStream(new FileInputStream(args[0]))) {
            in.transferTo(System.out);
        }
        System.out.flush();
    }
}
