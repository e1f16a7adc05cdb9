#!/bin/sh
# Makes the packages of this folder anew, with wixl, gcab and wimlib; msibuild adds what wixl has no
# words for. Run it here.
set -eu

add() { # package, table, columns, values
    msibuild "$1" -q "INSERT INTO \`$2\` ($3) VALUES ($4)"
}

change() { # package, table, column, value, key column, key
    msibuild "$1" -q "UPDATE \`$2\` SET \`$3\` = $4 WHERE \`$5\` = $6"
}

action() { # package, name, type, source, target, condition, sequence
    add "$1" CustomAction '`Action`, `Type`, `Source`, `Target`' "'$2', $3, '$4', '$5'"
    add "$1" InstallExecuteSequence '`Action`, `Condition`, `Sequence`' "'$2', '$6', $7"
}

word_count() { # package, number
    msiinfo export "$1" _SummaryInformation | sed "s/^15\t.*\r/15\t$2\r/" > _SummaryInformation.idt
    msibuild "$1" -i _SummaryInformation.idt
    rm _SummaryInformation.idt
}

rm -f *.msi *.cab
for name in embedded external loose lzx; do wixl -o $name.msi $name.wxs; done
wixl -a x64 -o features.msi features.wxs

# wixl writes every registry value as a text, and a root of its own for the one that follows ALLUSERS.
change embedded.msi Registry Root -1 Root 4
change embedded.msi Registry Value "'#%%SystemRoot%\x'" Name "'Expand'"
change embedded.msi Registry Value "'#x0a0BFF'" Name "'Bytes'"
change embedded.msi Registry Value "'one[~]two'" Name "'List'"

# wixl knows one cabinet a package, and does not write one that is not embedded.
change external.msi Media LastSequence 1 DiskId 1
add external.msi Media '`DiskId`, `LastSequence`, `Cabinet`' "2, 2, 'second.cab'"
cp src/readme.txt Readme && gcab -c -z -n first.cab Readme
cp src/tool.dat Tool && gcab -c -n second.cab Tool
rm Readme Tool

python3 make_lzx.py files.cab Story=src/story.txt Words=src/words.txt
msibuild lzx.msi -a files.cab files.cab
rm files.cab

# Loose files lie where the Directory table has them, by the names behind the colons.
msibuild loose.msi -q 'DELETE FROM `Media`'
add loose.msi Media '`DiskId`, `LastSequence`' '1, 2'
change loose.msi Directory DefaultDir "'PFILES|Programs'" Directory "'ProgramFilesFolder'"
change loose.msi Directory DefaultDir "'FIXTURE|Fixture Loose:TREE|source tree'" Directory "'INSTALLDIR'"
change loose.msi Directory DefaultDir "'DEEP|deep folder:.'" Directory "'SUB'"
change loose.msi File FileName "'ALONG.DAT|a long name.dat'" File "'Tool'"
word_count loose.msi 0
action features.msi SetSpecial 51 SPECIAL '[FLAVOUR]-[ProductVersion]' FLAVOUR 790
action features.msi MoveData 35 DATADIR 'C:\Data\[SPECIAL]' 'FLAVOUR = "moved"' 1010
action features.msi Refuse 19 '' 'This flavour is not for sale.' 'FLAVOUR = "forbidden" AND NOT Installed' 1410
change features.msi Component Condition "'FLAVOUR ~= \"Special\"'" Component "'Special'"
add features.msi RemoveFile '`FileKey`, `Component_`, `FileName`, `DirProperty`, `InstallMode`' \
    "'OldLogs', 'Main', '*.log', 'LOGS', 2"
add features.msi CreateFolder '`Directory_`, `Component_`' "'LOGS', 'Main'"
